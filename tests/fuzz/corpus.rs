//! What mutations are made of: files that are good, or nearly, in every way of writing them.

use std::{fs, path::Path};

use benefactor::files::encoding::Encoding;

/// Files of texts with all that a reader meets.
const TEXTS: [&str; 14] = [
    "a,b\n1,2\n",
    "partner_id,name,mail,country,currency,language\r\n4301,\"Berg, Dal & Söner\",info@berg.example,SE,SEK,sv\r\n",
    "\u{feff}partner_id;order_id;benefit;used_on;amount;currency;reference\r\n4301;ORD-1;azure_bulk_credit;31.01.2024;\"1.234,50\";USD;R-1\r\n4301;ORD-1;azure_bulk_credit;2024-02-01;0,5;USD;\"R \"\"2\"\"\"\r\n",
    "partner_id,order_id,benefit,used_on,amount,currency,reference\n4301,00042,software,01/02/2024,\"1,234.50\",USD,x\n4302,1E5,software,13/02/2024,1234.5,USD,'=x\n",
    "partner_id\tagreement\tvalid_from\tvalid_until\n4301\tcsp\t2024-01-31\t\n\n\t\t\t\n4302\tcsp\t2024-01-31\t2025-01-30\n",
    "sep=;\r\npartner_id;agreement;valid_from\r\n4301;csp;2024-01-31\r\n",
    "partner_id|agreement|valid_from|row_status|reason\n4301|csp|2024-01-31|rejected|\"two\nlines\"\n",
    "partner_id,order_id,benefit,starts_on,expires_on,quantity,amount,currency\n4301,MPN-1,visual_studio_enterprise,2024-01-31,2025-01-30,5,,\n4301,MPN-1,azure_bulk_credit,2024-01-31,2025-01-30,1,2400.00,USD\n",
    "partner_id,user_principal_name,display_name,enabled,user_type\n4301,anna@berg.example,Anna Lund,true,member\n4301,bo@berg.example,Bo,FALSKT,guest\n",
    "a,b\r\n\"1\",\"2\r\n3\"\r\n,\r\n\"\",\"\"\"\"\r\n",
    "partner_id,agreement,valid_from,,\n4301,csp,2024-01-31,,\n4302,csp,2024-01-31\n",
    "partner_id,agreement,valid_from\r\r\n4301,csp,2024-01-31\r\r\n",
    "partner_id,order_id,benefit,used_on,amount,currency,reference\n4301,O,software,2/13/2024,\"\u{2212}1\u{202f}234,5\",USD,a\n4301,O,software,2/13/2024,1\u{a0}234,USD,b\n4301,O,software,2/13/2024,1'234.5,USD,c\n",
    "partner_id,agreement,valid_from\n4301,csp,2024-01-31\n4302,csp,2024-",
];

/// A file of the fixtures.
pub fn fixture(below: &str) -> Vec<u8> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures").join(below);
    fs::read(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// All fixtures below a folder that are CSV.
pub fn fixtures(folder: &str) -> Vec<Vec<u8>> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures").join(folder);
    let mut names: Vec<_> = fs::read_dir(path).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    names.sort();
    let names = names.iter().filter(|name| Path::new(name).extension().is_some_and(|of| of == "csv"));
    let files: Vec<_> =
        names.filter_map(|name| name.to_str()).map(|name| fixture(&format!("{folder}/{name}"))).collect();
    assert!(!files.is_empty(), "{folder}");
    files
}

/// A text in an encoding, with its byte order mark.
pub fn encoded(text: &str, encoding: Encoding) -> Vec<u8> {
    let mut bytes = encoding.byte_order_mark().to_vec();
    encoding.write(text, &mut bytes);
    bytes
}

/// The small texts in every encoding.
pub fn texts() -> Vec<Vec<u8>> {
    let mut all: Vec<Vec<u8>> = TEXTS.iter().map(|text| text.as_bytes().to_vec()).collect();
    for (at, text) in TEXTS.iter().enumerate() {
        let encoding = Encoding::ALL[at % Encoding::ALL.len()];
        all.push(encoded(text.trim_start_matches('\u{feff}'), encoding));
    }
    let small = |file: &Vec<u8>| file.len() < 4_000;
    all.extend(fixtures("files").into_iter().filter(small));
    all
}

/// A portal's fixtures, as they are and as other programs save them.
pub fn of_portal(folder: &str) -> Vec<Vec<u8>> {
    let mut all = Vec::new();
    for file in fixtures(folder) {
        // Of the Bank's history as many days as are read in no time.
        let lines: Vec<&[u8]> = file.split_inclusive(|byte| *byte == b'\n').take(30).collect();
        let file = lines.concat();
        let text = String::from_utf8(file.clone()).unwrap();
        let text = text.trim_start_matches('\u{feff}');
        all.push(encoded(text, Encoding::Utf16Le));
        if !text.contains([';', '"']) {
            all.push(text.replace(',', ";").into_bytes());
        }
        all.push(file);
    }
    all
}
