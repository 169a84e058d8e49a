//! `verify` on archives in directories: what is whole passes, and every kind of damage is found and named,
//! in both formats and all kinds of exports.

use std::fs;
use std::path::Path;

use rstest::rstest;

use crate::archives::{
    ALL, Archive, Format, ID, Kind, compress, gzip, kinds, report, verify, verify_deep,
    write_manifest,
};
use crate::program::{Ended, Home};

/// An archive that is changed before it is written, verified to the last byte.
fn checked(
    home: &Home,
    (kind, format): (Kind, Format),
    change: impl Fn(&mut Archive),
    damage: impl Fn(&Archive, &Path),
) -> Ended {
    let below = tempfile::tempdir_in(home.path()).unwrap();
    let mut archive = Archive::new(kind, format);
    change(&mut archive);
    let folder = archive.write(below.path());
    damage(&archive, &folder);
    verify_deep(home, &folder)
}

/// The faults of archives of every kind that are changed before they are written, so that manifests and
/// checksums agree with the damage.
fn consistent(change: impl Fn(&mut Archive) + Copy, expected: &[&str]) {
    let home = Home::new();
    for of in ALL {
        let ended = checked(&home, of, change, |_, _| {});
        assert_eq!(kinds(&ended, "faults"), expected, "{of:?} {ended:?}");
        assert_eq!(ended.status, i32::from(!expected.is_empty()), "{of:?}");
    }
}

/// The faults of archives of every kind that are damaged after they were written.
fn damaged(damage: impl Fn(&Archive, &Path) + Copy, expected: &[&str]) {
    let home = Home::new();
    for of in ALL {
        let ended = checked(&home, of, |_| {}, damage);
        assert_eq!(kinds(&ended, "faults"), expected, "{of:?} {ended:?}");
        assert_eq!(ended.status, 1, "{of:?}");
    }
}

fn data(archive: &Archive, folder: &Path, file: usize) -> std::path::PathBuf {
    archive.data_folder(folder).join(&archive.files[file].name)
}

#[test]
fn whole_archives_pass_and_every_byte_was_read() {
    let home = Home::new();
    for of in ALL {
        let ended = checked(&home, of, |_| {}, |_, _| {});
        assert_eq!(ended.status, 0, "{of:?} {ended:?}");
        let report = report(&ended);
        assert_eq!(
            (&report["verdict"], &report["schema"]),
            (&"whole".into(), &1.into())
        );
        assert_eq!(
            (&report["files"], &report["items"]),
            (&4.into(), &30.into())
        );
        assert_eq!(report["lines"], 30);
        let notes: &[&str] = if of.1 == Format::Ion {
            &["ion_unverified"]
        } else {
            &[]
        };
        assert_eq!(kinds(&ended, "notes"), notes);
    }
}

#[test]
fn an_archive_is_found_from_below_above_and_under_another_name() {
    let home = Home::new();
    let folder = Archive::new(Kind::Full, Format::Json).write(&home.path().join("copy"));
    for place in [
        "copy",
        "copy/AWSDynamoDB",
        &format!("copy/AWSDynamoDB/{ID}"),
    ] {
        let ended = verify(&home, &home.path().join(place), &[]);
        assert_eq!(ended.status, 0, "{place}: {ended:?}");
        assert_eq!(report(&ended)["lines"], serde_json::Value::Null);
    }
    let renamed = home.path().join("2026-orders");
    fs::rename(folder, &renamed).unwrap();
    assert_eq!(verify_deep(&home, &renamed).status, 0);
}

#[test]
fn incremental_exports_share_a_folder_and_each_has_its_own_files() {
    let home = Home::new();
    let of = (Kind::NewImage, Format::Json);
    let ended = checked(
        &home,
        of,
        |_| {},
        |archive, folder| {
            fs::write(
                data(archive, folder, 0).with_file_name("of-another.json.gz"),
                "x",
            )
            .unwrap();
        },
    );
    assert_eq!(ended.status, 0, "{ended:?}");
}

#[test]
fn a_missing_file_is_found_without_reading_any() {
    let home = Home::new();
    for (kind, format) in ALL {
        let below = tempfile::tempdir_in(home.path()).unwrap();
        let archive = Archive::new(kind, format);
        let folder = archive.write(below.path());
        fs::remove_file(data(&archive, &folder, 3)).unwrap();
        let ended = verify(&home, &folder, &[]);
        assert_eq!(
            (ended.status, kinds(&ended, "faults")),
            (1, vec!["missing".to_owned()])
        );
    }
    damaged(
        |archive, folder| fs::remove_file(data(archive, folder, 1)).unwrap(),
        &["missing"],
    );
}

#[test]
fn a_file_that_is_cut_off_in_its_gzip_is_found() {
    damaged(
        |archive, folder| {
            let content = &archive.files[0].content;
            fs::write(data(archive, folder, 0), &content[..content.len() - 4]).unwrap();
        },
        &["gzip_truncated", "md5_differs"],
    );
}

#[test]
fn a_file_that_is_cut_off_at_a_line_is_found() {
    damaged(
        |archive, folder| {
            let lines = archive.lines(0);
            fs::write(data(archive, folder, 0), gzip(&lines[..9])).unwrap();
        },
        &["lines_differ", "md5_differs", "total_differs"],
    );
}

#[test]
fn a_byte_that_is_altered_is_found_wherever_it_is() {
    let home = Home::new();
    for of in ALL {
        for part in 1..6 {
            let ended = checked(
                &home,
                of,
                |_| {},
                |archive, folder| {
                    let mut content = archive.files[2].content.clone();
                    let at = content.len() * part / 6;
                    content[at] ^= 1;
                    fs::write(data(archive, folder, 2), content).unwrap();
                },
            );
            let found = kinds(&ended, "faults");
            assert!(
                found.contains(&"md5_differs".to_owned()),
                "{of:?} {part} {ended:?}"
            );
            assert_eq!(ended.status, 1);
        }
    }
}

#[test]
fn files_that_were_swapped_are_found() {
    damaged(
        |archive, folder| {
            fs::write(data(archive, folder, 0), &archive.files[1].content).unwrap();
            fs::write(data(archive, folder, 1), &archive.files[0].content).unwrap();
        },
        &["md5_differs"],
    );
}

#[test]
fn an_empty_file_that_was_filled_is_found() {
    damaged(
        |archive, folder| {
            fs::write(data(archive, folder, 3), gzip(&[archive.line(99)])).unwrap();
        },
        &["lines_differ", "md5_differs", "total_differs"],
    );
}

#[test]
fn a_file_beside_those_of_a_full_export_is_named() {
    let home = Home::new();
    for format in [Format::Json, Format::Ion] {
        let ended = checked(
            &home,
            (Kind::Full, format),
            |_| {},
            |archive, folder| {
                fs::write(data(archive, folder, 0).with_file_name("notes.txt"), "x").unwrap();
            },
        );
        assert_eq!(
            (ended.status, kinds(&ended, "faults")),
            (1, vec!["unlisted".to_owned()])
        );
        assert_eq!(report(&ended)["faults"][0]["file"], "data/notes.txt");
    }
}

/// A manifest that somebody edited, with or without its checksum.
fn edit(folder: &Path, name: &str, from: &str, to: &str, is_checksum_new: bool) {
    let path = folder.join(format!("{name}.json"));
    let text = fs::read_to_string(&path).unwrap();
    let edited = text.replacen(from, to, 1);
    assert_ne!(text, edited);
    if is_checksum_new {
        write_manifest(folder, name, edited.as_bytes());
    } else {
        fs::write(path, edited).unwrap();
    }
}

#[test]
fn a_manifest_that_was_altered_is_found() {
    damaged(
        |_, folder| {
            edit(
                folder,
                "manifest-summary",
                "\"itemCount\":30",
                "\"itemCount\":31",
                false,
            );
        },
        &["count_differs", "manifest_checksum"],
    );
    damaged(
        |_, folder| {
            edit(
                folder,
                "manifest-files",
                "\"itemCount\":10",
                "\"itemCount\":11",
                false,
            );
        },
        &["count_differs", "lines_differ", "manifest_checksum"],
    );
    // With a checksum that fits, what it says is still false.
    damaged(
        |_, folder| {
            edit(
                folder,
                "manifest-files",
                "\"itemCount\":10",
                "\"itemCount\":11",
                true,
            );
        },
        &["count_differs", "lines_differ"],
    );
    damaged(
        |_, folder| {
            edit(
                folder,
                "manifest-files",
                "{\"itemCount\"",
                "{\"items\"",
                true,
            );
        },
        &["manifest_unreadable"],
    );
}

#[test]
fn a_checksum_that_is_stale_is_found_and_one_that_is_missing_is_told() {
    damaged(
        |_, folder| {
            fs::write(
                folder.join("manifest-files.md5"),
                "kAFQmDzST7DWlj99KOF/cg==",
            )
            .unwrap();
        },
        &["manifest_checksum"],
    );
    let home = Home::new();
    for of in ALL {
        let ended = checked(
            &home,
            of,
            |_| {},
            |_, folder| {
                fs::remove_file(folder.join("manifest-files.md5")).unwrap();
                // The documented name.
                let old = folder.join("manifest-summary.md5");
                fs::rename(old, folder.join("manifest-summary.checksum")).unwrap();
            },
        );
        assert_eq!(ended.status, 0, "{ended:?}");
        let notes = kinds(&ended, "notes");
        assert!(notes.contains(&"no_checksum".to_owned()), "{notes:?}");
        assert_eq!(notes.len(), 1 + usize::from(of.1 == Format::Ion));
    }
}

#[test]
fn a_list_that_is_missing_is_found() {
    damaged(
        |_, folder| fs::remove_file(folder.join("manifest-files.json")).unwrap(),
        &["no_manifest"],
    );
}

#[test]
fn an_item_too_few_is_found_by_the_count() {
    consistent(
        |archive| {
            let lines = archive.lines(0);
            archive.files[0].content = gzip(&lines[1..]);
        },
        &["lines_differ", "total_differs"],
    );
}

#[test]
fn an_item_that_stands_twice_is_found_across_files() {
    consistent(
        |archive| {
            let mut lines = archive.lines(1);
            lines[4] = archive.line(3);
            archive.set(1, &lines);
        },
        &["duplicate_key"],
    );
    let home = Home::new();
    let ended = checked(
        &home,
        (Kind::Full, Format::Json),
        |archive| {
            let lines = [
                archive.line(1),
                archive.line(2).replace("new", "newer"),
                archive.line(1),
            ];
            archive.set(3, &lines);
        },
        |_, _| {},
    );
    let faults = report(&ended)["faults"].as_array().unwrap().clone();
    assert_eq!(faults.len(), 3, "{ended:?}");
    for fault in faults {
        assert_eq!(
            fault["file"].as_str().unwrap().rsplit('/').next().unwrap(),
            format!("{}.json.gz", "d".repeat(26))
        );
    }
}

#[test]
fn a_key_that_is_missing_in_some_items_is_found_and_in_all_is_told() {
    let home = Home::new();
    let without = |line: &str| {
        line.replace("\"sk\":{\"N\":\"7\"},", "")
            .replace("sk:7.,", "")
    };
    for of in ALL {
        let ended = checked(
            &home,
            of,
            |archive| {
                let mut lines = archive.lines(0);
                lines[7] = without(&lines[7]);
                archive.set(0, &lines);
            },
            |_, _| {},
        );
        let expected = ["key_missing".to_owned(), "keys_missing".to_owned()];
        assert_eq!(kinds(&ended, "faults"), expected, "{of:?} {ended:?}");
        let faults = report(&ended)["faults"].as_array().unwrap().clone();
        assert!(
            faults.iter().any(|fault| fault["line"] == 8),
            "{of:?} {faults:?}"
        );
    }
    // A projection takes the key from every item.
    let ended = checked(
        &home,
        (Kind::Full, Format::Json),
        |archive| {
            for file in 0..3 {
                let lines: Vec<String> = archive
                    .lines(file)
                    .iter()
                    .map(|line| {
                        let (before, rest) = line.split_once("\"sk\":").unwrap();
                        format!("{before}{}", rest.split_once(',').unwrap().1)
                    })
                    .collect();
                archive.set(file, &lines);
            }
        },
        |_, _| {},
    );
    assert_eq!(
        (ended.status, kinds(&ended, "faults")),
        (5, Vec::new()),
        "{ended:?}"
    );
    assert_eq!(kinds(&ended, "notes"), ["key_projected_away"]);
}

#[test]
fn a_key_of_another_type_is_found() {
    consistent(
        |archive| {
            let mut lines = archive.lines(0);
            lines[7] = lines[7]
                .replace("\"sk\":{\"N\":\"7\"}", "\"sk\":{\"S\":\"7\"}")
                .replace("sk:7.", "sk:\"7\"");
            archive.set(0, &lines);
        },
        &["key_of_another_type"],
    );
}

#[test]
fn lines_that_end_with_a_carriage_return_are_found() {
    consistent(
        |archive| {
            let lines: Vec<String> = archive
                .lines(0)
                .iter()
                .map(|line| format!("{line}\r"))
                .collect();
            archive.set(0, &lines);
        },
        &["carriage_return"],
    );
}

#[test]
fn a_second_gzip_member_is_told_and_what_it_adds_is_counted() {
    let home = Home::new();
    for of in ALL {
        let append = |archive: &mut Archive| {
            let line = archive.line(99);
            archive.files[0].content.extend(gzip(&[line]));
        };
        let ended = checked(&home, of, append, |_, _| {});
        assert_eq!(
            kinds(&ended, "faults"),
            ["lines_differ", "total_differs"],
            "{of:?}"
        );
        let ended = checked(
            &home,
            of,
            |archive| {
                append(archive);
                archive.files[0].items += 1;
            },
            |_, _| {},
        );
        assert_eq!(
            (ended.status, kinds(&ended, "faults")),
            (0, Vec::new()),
            "{of:?} {ended:?}"
        );
        assert!(kinds(&ended, "notes").contains(&"several_members".to_owned()));
    }
}

#[test]
fn bytes_behind_the_gzip_and_text_that_is_none_are_found() {
    consistent(
        |archive| archive.files[0].content.extend(b"tail"),
        &["gzip_trailing_bytes"],
    );
    consistent(
        |archive| {
            archive.files[0].content = b"<html>".to_vec();
            archive.files[0].items = 0;
        },
        &["gzip_damaged"],
    );
    consistent(
        |archive| archive.files[0].content = compress(b"\xff\n"),
        &["lines_differ", "not_utf8", "total_differs"],
    );
}

#[test]
fn an_export_of_another_kind_than_its_summary_says_is_found() {
    let home = Home::new();
    for of in ALL {
        for other in ALL.into_iter().filter(|other| *other != of) {
            // A new image alone is a change in either view.
            if of.1 == other.1 && (of.0, other.0) == (Kind::NewAndOldImages, Kind::NewImage) {
                continue;
            }
            let lines = Archive::new(other.0, other.1).lines(1);
            let ended = checked(&home, of, |archive| archive.set(1, &lines), |_, _| {});
            assert_eq!(ended.status, 1, "{of:?} with lines of {other:?}");
        }
    }
}

#[test]
fn no_value_of_an_item_is_ever_told() {
    let home = Home::new();
    for of in ALL {
        let ended = checked(
            &home,
            of,
            |archive| {
                let mut lines = archive.lines(0);
                for (index, line) in lines.iter_mut().enumerate() {
                    *line = line
                        .replace("\"new\"", "\"SECRET\"")
                        .replace("aGVsbG8=", "U0VDUkVU");
                    *line = match index % 3 {
                        0 => line.replace("1.50", "SECRET"),
                        1 => line.replace("[\"x\",\"y\"]", "[\"SECRET\",\"SECRET\"]"),
                        _ => line.replace("\"SECRET\"", "\"SECRET"),
                    };
                }
                archive.set(0, &lines);
            },
            |_, _| {},
        );
        assert_eq!(ended.status, 1);
        assert!(kinds(&ended, "faults").len() >= 2, "{ended:?}");
        let told = format!("{}{}", ended.out, ended.err);
        assert!(
            !told.contains("SECRET") && !told.contains("U0VDUkVU"),
            "{told}"
        );
    }
}

#[test]
fn keys_that_are_not_known_are_told_and_equal_lines_leave_it_open() {
    let home = Home::new();
    let mut archive = Archive::new(Kind::Full, Format::Json);
    let folder = archive.write(&home.path().join("one"));
    let ended = verify(&home, &folder, &["--deep"]);
    assert_eq!(
        (ended.status, kinds(&ended, "notes")),
        (0, vec!["keys_unknown".to_owned()])
    );
    let line = archive.line(3);
    archive.set(3, &[line]);
    let folder = archive.write(&home.path().join("two"));
    let ended = verify(&home, &folder, &["--deep"]);
    assert_eq!(ended.status, 5, "{ended:?}");
    assert!(kinds(&ended, "notes").contains(&"equal_lines".to_owned()));
}

#[test]
fn links_in_an_archive_are_not_followed() {
    let home = Home::new();
    let archive = Archive::new(Kind::Full, Format::Json);
    let folder = archive.write(home.path());
    let outside = home.write("outside.json.gz", "");
    fs::write(&outside, &archive.files[0].content).unwrap();
    let file = data(&archive, &folder, 0);
    fs::remove_file(&file).unwrap();
    std::os::unix::fs::symlink(&outside, &file).unwrap();
    let ended = verify_deep(&home, &folder);
    assert_eq!(
        (ended.status, kinds(&ended, "notes")),
        (5, vec!["unread".to_owned()]),
        "{ended:?}"
    );
}

#[rstest]
#[case::nothing("nowhere", 2, "no directory nowhere")]
#[case::a_file("file", 2, "no directory")]
#[case::an_empty_directory("empty", 1, "no manifest-summary.json")]
#[case::two_exports("two", 2, "several exports")]
#[case::a_run_that_is_not_there("7", 2, "no run 7")]
#[case::no_arn("arn:nothing", 2, "arn:nothing")]
#[case::a_bucket_alone("s3://export-landing", 2, "names no export")]
fn what_is_no_archive_is_an_error_that_says_so(
    #[case] place: &str,
    #[case] status: i32,
    #[case] told: &str,
) {
    let home = Home::new();
    home.write("file", "");
    fs::create_dir(home.path().join("empty")).unwrap();
    for id in ["a", "b"] {
        home.write(&format!("two/{id}/manifest-summary.json"), "{}");
    }
    let mut command = home.command();
    command.current_dir(home.path()).args(["verify", place]);
    let ended = Ended::of(&mut command);
    assert_eq!(ended.status, status, "{ended:?}");
    assert!(
        ended.err.contains(told) && ended.out.is_empty(),
        "{ended:?}"
    );
}
