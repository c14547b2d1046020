//! What bytes are that are no text in rows, told by how they begin.

use crate::domain::language::Bilingual;

/// Something that people drop in place of a CSV file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(test, derive(strum::VariantArray))]
pub enum Foreign {
    /// A zip archive, or what is one: a workbook among other things.
    Zip,
    /// A workbook with macros.
    MacroWorkbook,
    /// A workbook in Excel's binary form.
    BinaryWorkbook,
    /// A workbook under a password.
    EncryptedWorkbook,
    /// An Excel workbook of before 2007, or another Office file of then.
    OldWorkbook,
    /// Another Office file of today.
    OfficeDocument,
    /// A workbook of an office suite in the open format.
    OpenDocument,
    /// A gzip archive.
    Gzip,
    /// An archive of another program.
    Archive,
    /// A PDF document.
    Pdf,
    /// A picture.
    Picture,
    /// A web page.
    Html,
    /// An XML document.
    Xml,
    /// JSON.
    Json,
    /// A program.
    Program,
}

impl Foreign {
    /// What `head`, the first bytes of a file, shows. `None`: it may be text in rows.
    #[must_use]
    pub fn shown_by(head: &[u8]) -> Option<Self> {
        let begins = |with: &[&[u8]]| with.iter().any(|with| head.starts_with(with));
        for (marks, what) in [
            (&[&b"PK\x03\x04"[..], b"PK\x05\x06"][..], Self::Zip),
            (&[b"\xD0\xCF\x11\xE0\xA1\xB1\x1A\xE1"], Self::OldWorkbook),
            (&[b"\x1F\x8B"], Self::Gzip),
            (
                &[b"BZh", b"\xFD7zXZ\0", b"7z\xBC\xAF\x27\x1C", b"Rar!\x1A\x07", b"\x28\xB5\x2F\xFD"],
                Self::Archive,
            ),
            (&[b"%PDF-"], Self::Pdf),
            (&[b"\x89PNG\r\n", b"\xFF\xD8\xFF", b"GIF8"], Self::Picture),
            (&[b"\x7FELF", b"MZ\x90\0"], Self::Program),
        ] {
            if begins(marks) {
                return Some(what);
            }
        }
        Self::of_text(&String::from_utf8_lossy(head))
    }

    /// What the beginning of a text shows.
    #[must_use]
    pub fn of_text(text: &str) -> Option<Self> {
        let text = text.trim_start_matches('\u{FEFF}').trim_start();
        let lower: String = text.chars().take(200).collect::<String>().to_lowercase();
        let next = |open: char| text.strip_prefix(open).and_then(|rest| rest.trim_start().chars().next());
        if lower.starts_with('<') {
            let is_page = lower.starts_with("<!doctype html") || lower.contains("<html");
            Some(if is_page { Self::Html } else { Self::Xml })
        } else if matches!(next('{'), Some('"' | '}')) || matches!(next('['), Some('{' | '[' | ']' | '"')) {
            Some(Self::Json)
        } else {
            None
        }
    }

    /// What it is, and what to do.
    #[must_use]
    pub const fn sentence(self) -> Bilingual<&'static str> {
        match self {
            Self::MacroWorkbook => Bilingual::new(
                "a workbook with macros (.xlsm), which are never run: save it as a workbook without them (.xlsx), and import that",
                "en arbetsbok med makron (.xlsm), som aldrig körs: spara den som en arbetsbok utan makron (.xlsx) och läs in den",
            ),
            Self::BinaryWorkbook => Bilingual::new(
                "a binary Excel workbook (.xlsb): save it as .xlsx, and import that",
                "en binär Excel-arbetsbok (.xlsb): spara den som .xlsx och läs in den",
            ),
            Self::EncryptedWorkbook => Bilingual::new(
                "a workbook under a password: open it, take the password away, save it as .xlsx, and import that",
                "en lösenordsskyddad arbetsbok: öppna den, ta bort lösenordet, spara den som .xlsx och läs in den",
            ),
            Self::OldWorkbook => Bilingual::new(
                "an Office file of before 2007 (.xls): open it, save it as .xlsx, and import that",
                "en Office-fil från före 2007 (.xls): öppna den, spara den som .xlsx och läs in den",
            ),
            Self::OfficeDocument => Bilingual::new(
                "a document or a presentation: write its table into a workbook (.xlsx), and import that",
                "ett dokument eller en presentation: skriv tabellen i en arbetsbok (.xlsx) och läs in den",
            ),
            Self::OpenDocument => Bilingual::new(
                "a LibreOffice file (.ods): save it as .xlsx, or its sheet as CSV, and import that",
                "en LibreOffice-fil (.ods): spara den som .xlsx, eller bladet som CSV, och läs in den",
            ),
            Self::Zip => Bilingual::new(
                "a zip archive: unpack it, and import the files in it",
                "ett zip-arkiv: packa upp det och läs in filerna i det",
            ),
            Self::Gzip => Bilingual::new(
                "a gzip archive: unpack it with gunzip, and import the file in it",
                "ett gzip-arkiv: packa upp det med gunzip och läs in filen i det",
            ),
            Self::Archive => Bilingual::new(
                "a packed archive: unpack it, and import the files in it",
                "ett packat arkiv: packa upp det och läs in filerna i det",
            ),
            Self::Pdf => Bilingual::new(
                "a PDF document: ask whoever made it for the same as a workbook (.xlsx) or as CSV",
                "ett PDF-dokument: be den som har gjort det om samma uppgifter som arbetsbok (.xlsx) eller CSV",
            ),
            Self::Picture => Bilingual::new(
                "a picture: ask whoever made it for the same as a workbook (.xlsx) or as CSV",
                "en bild: be den som har gjort den om samma uppgifter som arbetsbok (.xlsx) eller CSV",
            ),
            Self::Html => Bilingual::new(
                "a web page, perhaps the one for signing in: sign in, download the file again, and import that",
                "en webbsida, kanske inloggningssidan: logga in, ladda ner filen på nytt och läs in den",
            ),
            Self::Xml => Bilingual::new(
                "an XML document: export the same as CSV in UTF-8",
                "ett XML-dokument: exportera samma uppgifter som CSV i UTF-8",
            ),
            Self::Json => Bilingual::new(
                "JSON: export the same as CSV in UTF-8",
                "JSON: exportera samma uppgifter som CSV i UTF-8",
            ),
            Self::Program => Bilingual::new(
                "a program: it is not run, and nothing of it is read",
                "ett program: det körs inte, och inget i det läses",
            ),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn f15_what_is_no_csv_is_said_for_what_it_is() {
        for (head, what) in [
            (&b"PK\x03\x04\x14\0users.csv"[..], Foreign::Zip),
            (b"\x1F\x8B\x08\0", Foreign::Gzip),
            (b"\xD0\xCF\x11\xE0\xA1\xB1\x1A\xE1\0", Foreign::OldWorkbook),
            (b"%PDF-1.7\n", Foreign::Pdf),
            (b"\x89PNG\r\n\x1a\n", Foreign::Picture),
            (b"\xEF\xBB\xBF\r\n<!DOCTYPE html><html>", Foreign::Html),
            (b"<?xml version=\"1.0\"?>\n<!-- x --><HTML>", Foreign::Html),
            (b"<?xml version=\"1.0\"?><rows/>", Foreign::Xml),
            (b"{\n  \"value\": []}", Foreign::Json),
            (b"[{\"id\": 1}]", Foreign::Json),
        ] {
            assert_eq!(Foreign::shown_by(head), Some(what));
        }
        for csv in [
            "partner_id,name\n",
            "[id],name\n",
            "{id};name\n",
            "",
            "Åkeri",
            "PK,name\n",
            "\"<a>\",b\n",
            "name,<html>\n",
        ] {
            assert_eq!(Foreign::shown_by(csv.as_bytes()), None, "{csv}");
        }
    }
}
