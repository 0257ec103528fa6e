//! Case 23: the signature covers the public URL exactly as it is configured.

use ringmaster::config::Config;

use crate::harness::{RecordingTransport, TestDaemon};

const PUBLIC: &str = include_str!("../../cases/23-host-case/public-url.txt");

/// The public URL as an operator writes it.
fn public_url() -> ringmaster::config::PublicUrl {
    let (account, number) = ("[accounts.main]\n", "[accounts.main.senders.\"+551140000001\"]\n");
    let sids = format!("account_sid = \"AC{0:032}\"\napi_key_sid = \"SK{0:032}\"\n", 1);
    // The account uses a platform on this machine, for which such a host is allowed.
    let apis = ["api", "content", "messaging", "monitor"];
    let apis = apis.map(|api| format!("{api}_url = \"http://127.0.0.1:1\"\n")).concat();
    let request = format!("permission_request_content_sid = \"HX{:032}\"\n", 1);
    let text =
        format!("[http]\npublic_url = \"{}\"\n{account}{sids}{apis}{number}{request}", PUBLIC.trim_end());
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("ringmaster.toml");
    std::fs::write(&path, text).unwrap();
    let secrets = ["API_KEY_SECRET", "AUTH_TOKEN"]
        .map(|name| (format!("RINGMASTER_ACCOUNTS__MAIN__{name}"), "secret-0123456789".to_owned()));
    Config::load(Some(&path), secrets.into_iter()).unwrap().http.public_url
}

#[tokio::test]
async fn a_signature_covers_the_host_as_it_is_configured() {
    let mut daemon = TestDaemon::configured(std::sync::Arc::<RecordingTransport>::default(), |config| {
        config.http.public_url = public_url()
    })
    .await;
    let written = daemon.public("/hooks/messages");
    assert_eq!(written, format!("{}/hooks/messages", PUBLIC.trim_end()));
    let form = [
        ("AccountSid", daemon.account_sid()),
        ("MessageSid", "SM0123456789abcdef0123456789abcdef"),
        ("From", "whatsapp:+5511987650001"),
        ("To", "whatsapp:+551140000001"),
        ("Body", "hello"),
    ]
    .map(|(name, value)| (name.to_owned(), value.to_owned()));
    assert_eq!(daemon.hook(&written, &form).await, 200);
    let other = written.to_lowercase();
    assert_ne!(other, written);
    assert_eq!(daemon.hook(&other, &form).await, 403, "another text is signed");
}
