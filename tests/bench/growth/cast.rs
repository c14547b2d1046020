//! The files of the growth bench: as many partners as rows, and of each an order that goes on, one that is cancelled, one
//! that is renewed and one that ends.

use std::{
    fs::{self, File},
    io::{BufWriter, Write as _},
    path::{Path, PathBuf},
};

use anyhow::Result;
use benefactor::domain::calendar::sub_days;
use chrono::NaiveDate;

/// The day on which facts arrive, and the one on which requests do.
pub const KNOWN_ON: &str = "2024-06-13";
/// As above.
pub const ASKED_ON: &str = "2024-06-14";

/// A file of rows, one or more a partner.
pub struct OfRows {
    /// Its name, without extension.
    pub name: &'static str,
    header: &'static str,
    /// `{p}`: the Partner ID; `{n}`: which partner it is.
    rows: &'static [&'static str],
}

/// In the order in which they are dropped. The order that goes on has a credit of which something is unspent a week
/// before it lapses; the one that ends had its last day on the day before the night.
pub const FILES: [OfRows; 14] = [
    OfRows {
        name: "partners",
        header: "partner_id,name,account_email,country,currency,tenant_id",
        rows: &["{p},Partner {p},p{p}@a.example,SE,SEK,00000000-0000-4000-8000-{n}"],
    },
    OfRows {
        name: "users",
        header: "partner_id,object_id,user_principal_name,role",
        rows: &["{p},id-{p},ada@p{p}.example,global_admin"],
    },
    OfRows {
        name: "contacts",
        header: "partner_id,user,email,phone,language",
        rows: &["{p},id-{p},marketing@p{p}.example,+46 8 555 01 00,sv"],
    },
    OfRows {
        name: "agreements",
        header: "partner_id,agreement,valid_from,valid_until",
        rows: &["{p},csp,2020-01-01,2020-12-31"],
    },
    OfRows {
        name: "entitlements",
        header: "partner_id,order_id,offer,benefit,benefit_type,quantity,purchased_on,starts_on,expires_on,amount,currency",
        rows: &[
            "{p},A-{n},silver,azure_monthly_credit,incremental,1,2024-03-23,2024-03-23,2025-03-22,100.00,USD",
            "{p},A-{n},silver,software/windows,incremental,1,2024-03-23,2024-03-23,2025-03-22,,",
            "{p},A-{n},silver,license_subscription/office_365,incremental,25,2024-03-23,2024-03-23,2025-03-22,,",
            "{p},A-{n},silver,product_support,incremental,15,2024-03-23,2024-03-23,2025-03-22,,",
            "{p},A-{n},silver,advisory_hours,incremental,20,2024-03-23,2024-03-23,2025-03-22,,",
            "{p},C-{n},silver,azure_monthly_credit,incremental,1,2024-06-01,2024-06-01,2025-05-31,100.00,USD",
            "{p},R-{n},silver,software/windows,incremental,1,2023-06-10,2023-06-10,2024-06-09,,",
            "{p},E-{n},silver,azure_bulk_credit/cloud_platform,incremental,1,2023-05-15,2023-05-15,2024-05-14,6000.00,USD",
        ],
    },
    OfRows {
        name: "keys",
        header: "partner_id,order_id,benefit,key,seats,months",
        rows: &[
            "{p},A-{n},software/windows,WINDO-{n}-AAAAA,,",
            "{p},A-{n},license_subscription/office_365,OFFIC-{n}-BBBBB,25,12",
            "{p},A-{n},license_subscription/office_365,OFFIC-{n}-CCCCC,25,12",
        ],
    },
    // The same partners and benefits again, in other bytes: nothing changes.
    OfRows { name: "partners_again", header: "", rows: &[] },
    OfRows { name: "entitlements_again", header: "", rows: &[] },
    OfRows {
        name: "assignments",
        header: "partner_id,order_id,benefit,action,user,requested_by,requested_on,to_user",
        rows: &["{p},A-{n},azure_monthly_credit,assign,id-{p},id-{p},2024-06-14,"],
    },
    OfRows {
        name: "key_requests",
        header: "partner_id,order_id,benefit,action,requested_by,requested_on,key_ref,tenant_id,mode",
        rows: &[
            "{p},A-{n},software/windows,reveal,id-{p},2024-06-14,,,",
            "{p},A-{n},license_subscription/office_365,redeem,id-{p},2024-06-14,,,new",
        ],
    },
    OfRows {
        name: "activations",
        header: "partner_id,order_id,benefit,requested_by,requested_on",
        rows: &["{p},A-{n},product_support,id-{p},2024-06-14"],
    },
    OfRows {
        name: "service_requests",
        header: "partner_id,request_id,kind,requested_by,requested_on,order_id,hours",
        rows: &["{p},H-{n},advisory_hours,id-{p},2024-06-14,A-{n},1.5"],
    },
    OfRows {
        name: "credit_usage",
        header: "partner_id,order_id,benefit,used_on,amount,currency,reference",
        rows: &["{p},A-{n},azure_monthly_credit,2024-06-10,10.00,SEK,U-{n}"],
    },
    OfRows {
        name: "renewals",
        header: "partner_id,order_id,renewed_on,new_order_id",
        rows: &["{p},R-{n},2024-06-14,S-{n}"],
    },
];

/// What is taken in by mistake, and taken back: an order more of each partner, and a user.
pub const MISTAKEN: [OfRows; 2] = [
    OfRows {
        name: "entitlements_mistaken",
        header: "partner_id,order_id,offer,benefit,benefit_type,quantity,purchased_on,starts_on,expires_on,amount,currency",
        rows: &[
            "{p},W-{n},silver,azure_monthly_credit,incremental,1,2024-06-01,2024-06-01,2025-05-31,100.00,USD",
            "{p},W-{n},silver,software/windows,incremental,1,2024-06-01,2024-06-01,2025-05-31,,",
        ],
    },
    OfRows {
        name: "users_mistaken",
        header: "partner_id,object_id,user_principal_name,role",
        rows: &["{p},other-{p},bob@p{p}.example,global_admin"],
    },
];

/// Cancellations of as many orders: service requests as well.
pub const CANCELLATIONS: OfRows = OfRows {
    name: "cancellations",
    header: "partner_id,request_id,kind,requested_by,requested_on,order_id",
    rows: &["{p},X-{n},cancel,id-{p},2024-06-14,C-{n}"],
};

impl OfRows {
    /// The kind of its rows.
    pub fn kind(&self) -> &'static str {
        if self.name == CANCELLATIONS.name {
            return "service_requests";
        }
        let of_kind = self.name.strip_suffix("_again").or_else(|| self.name.strip_suffix("_mistaken"));
        of_kind.unwrap_or(self.name)
    }

    /// Writes it, for so many partners; says where it is and how many rows it has.
    pub fn write(&self, folder: &Path, partners: u64) -> Result<(PathBuf, u64)> {
        let path = folder.join(format!("{}.csv", self.name));
        if let Some(of) = self.name.strip_suffix("_again") {
            let earlier = fs::read_to_string(folder.join(format!("{of}.csv")))?;
            let rows = earlier.lines().count() - 1;
            fs::write(&path, earlier.replace('\n', "\r\n"))?;
            return Ok((path, u64::try_from(rows)?));
        }
        let mut out = BufWriter::new(File::create(&path)?);
        writeln!(out, "{}", self.header)?;
        for n in 0..partners {
            let (partner, number) = ((4_000_000 + n).to_string(), format!("{n:012}"));
            for row in self.rows {
                writeln!(out, "{}", row.replace("{p}", &partner).replace("{n}", &number))?;
            }
        }
        out.flush()?;
        Ok((path, partners * u64::try_from(self.rows.len())?))
    }
}

/// Rates of at least 450 days, newest first: of 29 currencies each; how many rates there are.
pub fn rates(path: &Path, rows: u64) -> Result<u64> {
    const CODES: &str = "USD,JPY,CZK,DKK,GBP,HUF,PLN,RON,SEK,CHF,ISK,NOK,TRY,AUD,BRL,CAD,CNY,HKD,IDR,ILS,INR,KRW,MXN,MYR,NZD,PHP,SGD,THB,ZAR";
    let days = u32::try_from((rows / 29).max(450))?;
    let last: NaiveDate = KNOWN_ON.parse()?;
    let mut out = BufWriter::new(File::create(path)?);
    writeln!(out, "Date,{CODES}")?;
    for back in 0..days {
        let cells: Vec<String> = (0..29).map(|code| format!("{}.{:04}", 1 + code, back % 97 + 1)).collect();
        writeln!(out, "{},{}", sub_days(last, back), cells.join(","))?;
    }
    out.flush()?;
    Ok(u64::from(days) * 29)
}
