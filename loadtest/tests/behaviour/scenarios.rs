//! Scenario files are read, defaults are filled in, and mistakes are named with line and key.

use loadtest::scenario::{Content, Pattern, Scenario, builtin, builtin_names};

fn error(text: &str) -> String {
    Scenario::parse(text).unwrap_err().to_string()
}

#[test]
fn everything_that_comes_with_the_program_is_valid() {
    for name in builtin_names() {
        let scenario = Scenario::parse(builtin(name).unwrap()).unwrap_or_else(|error| panic!("{name}: {error}"));
        assert!(!scenario.title.is_empty(), "{name} has no title");
    }
}

#[test]
fn a_shape_is_a_scenario_by_default() {
    let scenario = Scenario::from_shape("2x50x3").unwrap().unwrap();
    assert_eq!((scenario.rooms, scenario.participants, scenario.speakers), (2, 50, 3));
    assert_eq!((scenario.speaker.kind(), scenario.listener.kind()), (Content::Tone, Content::Silence));
    assert_eq!((scenario.room.sampling_rate, scenario.room.quality), (48_000, 4));
    assert_eq!(scenario.arrival.pattern, Pattern::Ramp);
    assert_eq!(scenario.population(), 100);
}

#[test]
fn what_is_no_shape_is_none() {
    for text in ["50x3", "1x2x3x4", "axbxc", "latency", ""] {
        assert!(Scenario::from_shape(text).is_none(), "{text}");
    }
}

#[test]
fn an_unknown_key_is_named_with_its_line() {
    let text = error("participants = 5\nspeekers = 2\n");
    assert!(text.contains("line 2") && text.contains("speekers") && text.contains("speakers"), "{text}");
    let text = error("participants = 5\n[hold]\nsecond = 2\n");
    assert!(text.contains("line 3") && text.contains("second"), "{text}");
}

#[test]
fn a_wrong_type_is_named_with_its_line() {
    let text = error("participants = 5\n\nrooms = \"three\"\n");
    assert!(text.contains("line 3") && text.contains("invalid type") && text.contains("u32"), "{text}");
}

#[test]
fn an_unknown_content_names_the_known_ones() {
    let text = error("participants = 5\n[listener]\ncontent = \"music\"\n");
    assert!(text.contains("line 3") && text.contains("speech") && text.contains("silence"), "{text}");
}

#[test]
fn values_that_do_not_go_together_are_refused() {
    let cases = [
        ("participants = 2\nspeakers = 3", "speakers"),
        ("participants = 50\nspeakers = 40", "36 tones"),
        ("participants = 2\n[room]\nsampling_rate = 44100", "room.sampling_rate"),
        ("participants = 2\n[room]\nquality = 11", "room.quality"),
        ("participants = 2\n[listener]\ncontent = \"tone\"", "listener.content"),
        ("participants = 2\n[listener]\ncontent = \"file\"", "listener.file"),
        ("participants = 2\n[speaker]\nfile = \"a.wav\"", "speaker.file"),
        ("participants = 2\n[arrival]\nper_second = 0", "arrival.per_second"),
        ("participants = 2\n[hold]\nseconds = 0", "hold.seconds"),
        ("participants = 2\n[requests]\nper_second = 0\nseconds = 5", "requests"),
        ("participants = 2\n[guests]\nper_second = 5\nseconds = 0\nstay = 1", "guests"),
    ];
    for (text, expected) in cases {
        assert!(error(text).contains(expected), "{text}: {}", error(text));
    }
}

#[test]
fn participants_are_required() {
    assert!(error("rooms = 1").contains("participants"));
}

#[test]
fn a_speaker_says_a_tone_unless_told_otherwise() {
    let scenario = Scenario::parse("participants = 2\n[speaker]\nbitrate = 24000").unwrap();
    assert_eq!(scenario.speaker.kind(), Content::Tone);
    let scenario = Scenario::parse("participants = 2\n[speaker]\ncontent = \"speech\"").unwrap();
    assert_eq!(scenario.speaker.kind(), Content::Speech);
}

#[test]
fn the_example_in_the_documentation_is_valid() {
    let readme = include_str!("../../README.md");
    let (_, rest) = readme.split_once("```toml").unwrap();
    let (example, _) = rest.split_once("```").unwrap();
    let scenario = Scenario::parse(example).unwrap_or_else(|error| panic!("{error}"));
    assert!(
        scenario.guests.is_some()
            && scenario.requests.is_some()
            && scenario.garbage.is_some()
            && scenario.expect.is_some()
    );
}
