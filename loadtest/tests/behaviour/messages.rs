//! Messages of a server are read, and those about others are recognised as such.

use loadtest::notice::Notice;

#[test]
fn a_message_about_others_is_other() {
    let joined = r#"{"janus":"event","session_id":1,"sender":2,"plugindata":{"plugin":"janus.plugin.audiobridge",
        "data":{"audiobridge":"joined","room":1,"participants":[{"id":3,"display":"é","setup":false,"muted":false}]}}}"#;
    assert_eq!(Notice::parse(joined).unwrap(), Notice::Other);
    assert_eq!(Notice::parse(r#"{"janus":"keepalive"}"#).unwrap(), Notice::Other);
}

#[test]
fn an_error_without_a_transaction_is_an_error() {
    let text = r#"{"janus":"error","error":{"code":454,"reason":"JSON error"}}"#;
    let expected = Notice::Error { transaction: None, code: 454, reason: "JSON error".to_owned() };
    assert_eq!(Notice::parse(text).unwrap(), expected);
}

#[test]
fn the_server_says_what_it_is() {
    let text = r#"{"janus":"server_info","transaction":"1","name":"Janus WebRTC Server","version":1102,"version_string":"1.1.2"}"#;
    assert_eq!(Notice::parse(text).unwrap(), Notice::Info { server: "Janus WebRTC Server 1.1.2".to_owned() });
}

#[test]
fn what_is_no_message_is_an_error() {
    for text in ["", "[]", "{}", r#"{"janus":1}"#, "not JSON"] {
        assert!(Notice::parse(text).is_err(), "{text}");
    }
}
