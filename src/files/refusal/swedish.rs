//! The sentences of refusals in Swedish: what [`Refusal`] says in English, for partners who read Swedish.

use super::{Lack, NearMiss, Refusal};
use crate::domain::kinds::Kind;

impl Refusal {
    /// The sentence in Swedish, without a full stop.
    #[expect(clippy::too_many_lines, reason = "one arm a sentence, so that none is forgotten")]
    pub(super) fn swedish(&self) -> String {
        match self {
            Self::Empty => "filen är tom: den behöver en rubrikrad".to_owned(),
            Self::NotUtf8 { line, offset } => {
                format!("rad {line}: byte {offset} är inte text i UTF-8: spara filen som CSV i UTF-8")
            }
            Self::NotInEncoding { line, offset, encoding } => format!(
                "rad {line}: byte {offset} betyder inget i {}: spara filen som CSV i UTF-8",
                encoding.name()
            ),
            Self::EncodingUnsure { line, offset, suggested } => format!(
                "rad {line}: byte {offset} är inte text i UTF-8, och det är inte säkert vilken teckenkodning filen har ({}): \
                 spara filen som CSV i UTF-8; är den i Windows-1252, läs in den med --dialect encoding=windows-1252",
                may_be(*suggested)
            ),
            Self::Foreign { what } => format!("detta är {}", what.sentence().swedish),
            Self::NulByte { line, offset } => format!(
                "rad {line}: byte {offset} är en nollbyte (NUL): detta är ingen textfil, eller så har den skadats; exportera \
                 den på nytt som CSV i UTF-8"
            ),
            Self::UnclosedQuote { line, column, offset } => format!(
                "rad {line}, kolumn {column} (byte {offset}): citattecknet som öppnas här stängs aldrig: stäng det, eller \
                 dubblera det om det hör till texten"
            ),
            Self::TextAfterQuote { line, column, offset } => format!(
                "rad {line}, kolumn {column} (byte {offset}): text efter ett avslutande citattecken: ett citattecken inne i \
                 en text med citattecken runt om måste dubbleras (\"\")"
            ),
            Self::QuoteInBareCell { line, column, offset } => format!(
                "rad {line}, kolumn {column} (byte {offset}): ett citattecken i en cell utan citattecken runt om: sätt \
                 citattecken runt hela cellen, från avgränsare till avgränsare, och dubblera dem som finns i den"
            ),
            Self::StrayCarriageReturn { line, offset } => format!(
                "rad {line}: byte {offset} är en vagnretur utan radmatning: rader måste sluta med LF eller CRLF; spara filen \
                 som CSV i UTF-8"
            ),
            Self::CutOff { line } => format!(
                "rad {line}: filen är avklippt i sin rubrikrad: den har inget radslut; är den hel, avsluta raden"
            ),
            Self::DuplicateColumn { name, column } => format!(
                "kolumn {column}: ”{name}” finns två gånger i rubrikraden: ta bort eller döp om en av dem"
            ),
            Self::MissingColumns { kind, columns, near } => format!(
                "detta är ingen fullständig fil med {kind}: rubrikraden saknar {}{}",
                columns.join(", "),
                meant(near)
            ),
            Self::MisnamedColumns { kind, columns } => misnamed(*kind, columns),
            Self::PortalLacks { portal, columns, near } => format!(
                "detta ser ut som {}, men rubrikraden saknar {}{}: ladda ner filen på nytt och döp inte om dess kolumner",
                portal.swedish,
                columns.join(", "),
                meant(near)
            ),
            Self::ForComparison { portal } => format!(
                "detta är {}: filen är bara till för `reconcile`, som jämför den med det som är lagrat, och läses aldrig in",
                portal.swedish
            ),
            Self::WhosePortalFile { portal } => format!(
                "detta är {}, och filen säger inte vems den är: läs in den med --partner och partner-ID:t, eller lägg den i \
                 inkorgens mapp med det namnet",
                portal.swedish
            ),
            Self::OtherBank { column } => format!(
                "detta ser ut som referenskurser, men Europeiska centralbanken har aldrig publicerat någon kolumn \
                 ”{column}”: ladda ner eurofxref.csv eller eurofxref-hist.csv från banken, vars kurser gäller för en euro"
            ),
            Self::UnknownKind { closest } => format!(
                "rubrikraden hör inte till någon känd sorts fil{}: rätta rubrikraden, eller ange sorten",
                nearest(closest)
            ),
            Self::RowsAboveHeader { kind, line } => {
                format!("rubrikraden till {kind} står på rad {line}: ta bort raderna ovanför den")
            }
            Self::FileTooLarge { limit } => format!("filen är större än {limit} byte: dela upp den"),
            Self::RecordTooLong { line, limit } => format!(
                "rad {line}: raden som börjar här är längre än {limit} byte: är ett citattecken inte stängt?"
            ),
            Self::CellTooLong { line, column, limit } => format!(
                "rad {line}, kolumn {column}: cellen som börjar här är längre än {limit} byte: är ett citattecken inte \
                 stängt?"
            ),
            Self::TooManyColumns { line, limit } => format!("rad {line}: fler än {limit} kolumner"),
            Self::TooManyRows { line, limit } => {
                format!("rad {line}: fler än {limit} rader: dela upp filen")
            }
            Self::NotRegular { name, what } => {
                format!("”{name}” är {}, ingen vanlig fil: lägg själva filen i inkorgen", what.swedish)
            }
            Self::BadName { name } => format!(
                "”{name}” är inget enkelt filnamn: döp om filen (utan ”..” och styrtecken, i giltig UTF-8)"
            ),
            Self::Changed { name } => {
                format!("”{name}” ändrades medan den lästes: lägg den i inkorgen igen när den är hel")
            }
            Self::Workbook(fault) => fault.swedish(),
            Self::InSheet { sheet, at, refusal } => format!("bladet ”{sheet}”, {at}: {}", refusal.swedish()),
            Self::Io(error) => format!("filen kunde inte läsas (på engelska: {error})"),
        }
    }
}

fn misnamed(kind: Kind, columns: &[NearMiss]) -> String {
    let each = columns.iter().map(|one| {
        let NearMiss { column, written, known } = one;
        format!("kolumn {column} ”{written}” är inte känd i en fil med {kind}; avses ”{known}”?")
    });
    let each = each.collect::<Vec<_>>().join(" ");
    format!("{each} Döp om den så, eller ta bort kolumnen om den är något annat")
}

fn meant(near: &[NearMiss]) -> String {
    let each = near.iter().map(|one| format!("; avses ”{}” med ”{}”?", one.known, one.written));
    each.collect::<Vec<_>>().concat()
}

fn may_be(suggested: Option<&'static str>) -> String {
    suggested.map_or_else(|| "ingen känd passar".to_owned(), |name| format!("det kan vara {name}"))
}

fn nearest(closest: &[Lack]) -> String {
    let each = closest.iter().enumerate().map(|(at, lack)| {
        let lead = if at == 0 { "; närmast: " } else { "; " };
        format!("{lead}{} (saknar {}{})", lack.kind, lack.columns.join(", "), meant(&lack.near))
    });
    each.collect::<Vec<_>>().concat()
}
