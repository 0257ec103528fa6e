//! The URLs that are asked, and the judgement of their answers.

use std::collections::BTreeMap;
use std::path::PathBuf;

use super::super::folder::Folder;
use super::super::online::{Answer, Link, judged, to_ask};
use super::super::texts::{needed, urls};
use super::super::{Rule, Severity};
use super::{INVITE, declared};

fn link(url: &str) -> Link {
    Link { path: PathBuf::from("a.toml"), line: 3, key: "actions[0].url".to_owned(), url: url.to_owned() }
}

#[test]
fn every_url_is_found_with_its_samples_and_calling_links_are_left_out() {
    let card = format!(
        "{}[[actions]]\ntype = \"URL\"\ntitle = \"See\"\nurl = \"https://shop.example/o/{{{{1}}}}\"\n\
         [variables]\n1 = \"7\"\n",
        INVITE.replace("body =", "media = [\"https://shop.example/a.png\"]\nbody =")
    );
    let found = urls(&declared(&card));
    let expected =
        [("media[0]", "https://shop.example/a.png"), ("actions[1].url", "https://shop.example/o/7")];
    assert_eq!(found, expected.map(|(key, url)| (key.to_owned(), url.to_owned())));
    let page = "name = \"page\"\nlanguage = \"en\"\napproval = \"none\"\ntype = \"meta/cta_url\"\nbody = \"Hi {{who}}\"\n\
                header_image = \"https://shop.example/b\"\n[[actions]]\ntype = \"URL\"\ntitle = \"Call\"\n\
                url = \"{{link}}\"\n[variables]\nwho = \"Ana\"\n";
    let page = declared(page);
    assert_eq!(urls(&page), [("header_image".to_owned(), "https://shop.example/b".to_owned())]);
    assert_eq!(needed(&page).into_iter().collect::<Vec<_>>(), ["who"]);
}

#[test]
fn each_https_url_is_asked_once_and_at_most_200_are() {
    let most = Rule::OnlineNumber.figure();
    let mut links: Vec<Link> = (0..most).map(|n| link(&format!("https://shop.example/{n}"))).collect();
    links.push(link("https://shop.example/0"));
    let (asked, faults) = to_ask(&links, false);
    assert_eq!((asked.len(), faults.len()), (most, 0));
    links.push(link("https://shop.example/more"));
    let (asked, faults) = to_ask(&links, false);
    assert_eq!((asked.len(), faults.len()), (most, 1));
    assert_eq!((faults[0].1.rule, faults[0].1.severity), (Rule::OnlineNumber, Severity::Warning));
}

#[test]
fn http_is_asked_at_a_sandbox_only() {
    let links = [link("http://shop.example/")];
    let (asked, faults) = to_ask(&links, false);
    assert!(asked.is_empty());
    assert_eq!(faults[0].1.rule, Rule::OnlineHttps);
    let (asked, faults) = to_ask(&links, true);
    assert_eq!((asked.len(), faults.len()), (1, 0));
}

#[test]
fn a_status_from_200_to_399_is_good_and_everything_else_is_a_fault() {
    let links = [link("https://shop.example/")];
    for (answer, rule) in [
        (Answer::Status(199), Some(Rule::OnlineAnswer)),
        (Answer::Status(200), None),
        (Answer::Status(399), None),
        (Answer::Status(400), Some(Rule::OnlineAnswer)),
        (Answer::Unresolved, Some(Rule::OnlineAnswer)),
        (Answer::Private, Some(Rule::OnlineAddress)),
        (Answer::Late, Some(Rule::OnlineAnswer)),
        (Answer::Unreachable, Some(Rule::OnlineAnswer)),
    ] {
        let faults = judged(&links, &BTreeMap::from([("https://shop.example/".to_owned(), answer)]));
        assert_eq!(faults.first().map(|(_, fault)| fault.rule), rule, "{answer:?}");
    }
    assert!(judged(&links, &BTreeMap::new()).is_empty());
}

#[test]
fn a_url_with_a_fault_is_not_asked_and_those_beside_it_are() {
    let folder = tempfile::tempdir().unwrap();
    let text = format!(
        "{}[[actions]]\ntype = \"URL\"\ntitle = \"See\"\nurl = \"https://localhost/\"\n",
        INVITE.replace("body =", "media = [\"https://shop.example/a.png\"]\nbody =")
    );
    std::fs::write(folder.path().join("a.toml"), text).unwrap();
    let (read, faults) = Folder::read(folder.path()).unwrap();
    assert_eq!(faults.errors(), 1);
    assert!(read.declarations.is_empty() && read.is_broken("invite") && !read.is_broken("other"));
    let keys: Vec<_> = read.links.iter().map(|link| (link.key.as_str(), link.line)).collect();
    assert_eq!(keys, [("media[0]", 7)]);
}
