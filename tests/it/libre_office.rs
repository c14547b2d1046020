//! Answers that go through a spreadsheet of people's own: corrected, opened and saved again by `LibreOffice` as a Swedish
//! spreadsheet does, as text and as a workbook, and dropped again. Where the machine has none it says so and proves
//! nothing.

use std::{
    fs,
    path::{Path, PathBuf},
    process::{Command, Stdio},
    time::{Duration, Instant},
};

use crate::{
    cast::partner,
    house::{House, Ran},
    workbooks::{book, changed, type_in},
};

/// How a Swedish spreadsheet reads and writes text: semicolon, quotes, UTF-8, from the first line, sv-SE, numbers as they look.
const SWEDISH: &str = "csv:Text - txt - csv (StarCalc):59,34,76,1,,1053,false,true";
const READ_SWEDISH: &str = "Text - txt - csv (StarCalc):59,34,76,1,,1053,false,true";
/// The locale of a Swedish program.
const SETTINGS: &str = r#"<?xml version="1.0" encoding="UTF-8"?>
<oor:items xmlns:oor="http://openoffice.org/2001/registry">
<item oor:path="/org.openoffice.Setup/L10N"><prop oor:name="ooSetupSystemLocale" oor:op="fuse"><value>sv-SE</value></prop></item>
</oor:items>
"#;
const PATIENCE: Duration = Duration::from_mins(2);
const ROWS: &str = "partner_id,order_id,offer,benefit,benefit_type,quantity,purchased_on,starts_on,expires_on,amount,currency,competency
4301,ORD-1,silver,azure_monthly_credit,core,1,2024-01-31,2024-01-31,2025-01-30,1234.50,SEK,Åtgärd & öl
4301,ORD-1,silver,advisory_hour,core,20,2024-01-31,2024-01-31,2025-01-30,,,
4301,ORD-1,silver,software,core,10,2024-01-31,2024-01-31,2025-01-30,,,
4301,ORD-2,gold,azure_monthly_credit,core,1,2024-02-01,2024-02-01,2025-01-31,12000.00,EUR,
";
/// What is wrong in them, and what is right.
const CORRECTIONS: [(&str, &str); 2] = [("advisory_hour", "advisory_hours"), ("EUR", "SEK")];

/// Opens a file in `LibreOffice` and saves it in another folder, under the same name. `None`: there is no `LibreOffice`.
fn saved_again(from: &Path, to: &Path, profile: &Path) -> Option<PathBuf> {
    let settings = profile.join("user/registrymodifications.xcu");
    if !settings.exists() {
        fs::create_dir_all(settings.parent().unwrap()).unwrap();
        fs::write(&settings, SETTINGS).unwrap();
    }
    let is_text = from.extension().is_some_and(|ending| ending == "csv");
    let mut office = Command::new("soffice");
    office.arg(format!("-env:UserInstallation=file://{}", profile.display())).args([
        "--headless",
        "--norestore",
        "--convert-to",
        if is_text { SWEDISH } else { "xlsx" },
    ]);
    if is_text {
        office.arg(format!("--infilter={READ_SWEDISH}"));
    }
    office.arg("--outdir").args([to, from]).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    let mut office = office.spawn().ok()?;
    let begun = Instant::now();
    while office.try_wait().unwrap().is_none() {
        if begun.elapsed() > PATIENCE {
            let _ = office.kill();
            let _ = office.wait();
            panic!("LibreOffice did not end in {PATIENCE:?}");
        }
        std::thread::sleep(Duration::from_millis(50));
    }
    let saved = to.join(from.file_name().unwrap());
    assert!(saved.exists(), "LibreOffice saved nothing of {}", from.display());
    Some(saved)
}

fn import(house: &House, path: &Path) -> Ran {
    house.run(["--now", "2024-02-02T09:00:00Z", "import", path.to_str().unwrap()])
}

#[tokio::test]
async fn an_answer_that_is_corrected_and_saved_by_a_swedish_spreadsheet_is_taken_in_whole() {
    let mut held = None;
    for name in ["e.csv", "e.xlsx"] {
        let house = House::open().await;
        let partner = partner("4301", "SEK");
        fs::write(house.dir.join("p.csv"), partner).unwrap();
        import(&house, &house.dir.join("p.csv")).ended(0);
        let path = house.dir.join(name);
        if name == "e.csv" {
            fs::write(
                &path,
                format!("\u{feff}{}", ROWS.replace(',', ";").replace(".50", ",50").replace(".00", ",00")),
            )
            .unwrap();
        } else {
            fs::write(&path, book(|sheet| type_in(sheet, ROWS))).unwrap();
        }
        let told = import(&house, &path).ended(3).stdout;
        assert!(told.contains("2 applied, 0 unchanged, 2 rejected"), "{told}");
        let answer = house.dir.join(&name.replace("e.", "e.result."));
        correct(&answer);
        let (to, profile) = (house.dir.join("saved"), house.dir.join("office"));
        fs::create_dir(&to).unwrap();
        let Some(saved) = saved_again(&answer, &to, &profile) else {
            eprintln!("SKIPPED: there is no soffice on this machine, so no answer went through LibreOffice");
            return;
        };
        assert_ne!(fs::read(&saved).unwrap(), fs::read(&answer).unwrap(), "it is LibreOffice's own file");
        let told = import(&house, &saved).ended(0).stdout;
        assert!(told.contains("2 applied, 2 unchanged, 0 rejected"), "{name}: {told}");
        let holds = house
            .lines(
                "select concat_ws(' ', order_id, e.benefit, quantity, e.starts_on, e.expires_on, amount_minor, currency, competency)
                 from entitlement e join membership m using (membership_id) order by 1",
            )
            .await;
        assert!(holds[1].contains("123450 SEK Åtgärd & öl"), "{holds:?}");
        // As text and as a workbook it says the same.
        assert_eq!(held.get_or_insert_with(|| holds.clone()), &holds);
    }
}

/// Puts right what is wrong in an answer, where it stands.
fn correct(answer: &Path) {
    let bytes = fs::read(answer).unwrap();
    let corrected = |text: String| {
        CORRECTIONS.iter().fold(text, |text, (wrong, right)| {
            let (cell, cells) = (format!(">{wrong}<"), format!(";{wrong};"));
            text.replace(&cell, &format!(">{right}<")).replace(&cells, &format!(";{right};"))
        })
    };
    let bytes = if answer.extension().is_some_and(|ending| ending == "csv") {
        corrected(String::from_utf8(bytes).unwrap()).into_bytes()
    } else {
        changed(&bytes, |_, text| corrected(text))
    };
    fs::write(answer, bytes).unwrap();
}
