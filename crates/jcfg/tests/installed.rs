//! Every sample file of an installed Janus, where there is one, is read, and reads the same once printed.

use std::path::Path;

use jcfg::Group;

#[test]
fn the_files_of_an_installed_janus_are_read() {
    let Ok(folder) = Path::new("/etc/janus").read_dir() else { return };
    let mut files = 0;
    for path in folder.map(|entry| entry.unwrap().path()) {
        if path.extension().is_some_and(|extension| extension == "jcfg") {
            #[expect(clippy::disallowed_methods, reason = "a test that reads files")]
            let text = std::fs::read(&path).unwrap();
            let group = Group::parse(&text).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
            let printed = group.to_string();
            assert_eq!(Group::parse(printed.as_bytes()).unwrap().to_string(), printed, "{}", path.display());
            files += 1;
        }
    }
    assert!(files > 0, "a Janus without a file");
}
