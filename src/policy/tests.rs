//! Rule tests as data.
