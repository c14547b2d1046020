//! Reasons in Swedish.

use super::super::{calendar::sub_days, language::Language::Swedish, money::Currency, naming};
use super::{Day, Expected, Reason};

/// The sentence; `None` when the reason has no words here, which the tests refuse.
pub(super) fn reason(reason: &Reason, day: Day<'_>) -> Option<String> {
    cell(reason)
        .or_else(|| reference(reason))
        .or_else(|| change(reason, day))
        .or_else(|| request(reason, day))
        .or_else(|| assignment(reason, day))
        .or_else(|| usage(reason, day))
        .or_else(|| renewal(reason, day))
        .or_else(|| cancellation(reason, day))
        .or_else(|| waiting(reason, day))
}

fn cell(reason: &Reason) -> Option<String> {
    Some(match reason {
        Reason::Missing => "Cellen är obligatorisk men tom; fyll i den.".to_owned(),
        Reason::Invalid { expected } => {
            format!("Värdet måste vara {}; rätta cellen.", self::expected(*expected))
        }
        Reason::WrongFieldCount { expected, found } => format!(
            "Raden har {found} fält men rubrikraden har {expected}; kontrollera avgränsare och citattecken."
        ),
        Reason::EndsBeforeStart => {
            "Förmånen slutar innan den börjar; rätta starts_on eller expires_on.".to_owned()
        }
        Reason::StartsBeforePurchase => {
            "Förmånen börjar innan den köptes; rätta starts_on eller purchased_on.".to_owned()
        }
        _ => return None,
    })
}

fn reference(reason: &Reason) -> Option<String> {
    Some(match reason {
        Reason::UnknownPartner => {
            "Ingen partner med detta ID är känd; rätta ID:t eller läs in partnern först.".to_owned()
        }
        Reason::OtherPartner { partner_id } => format!(
            "Filen tillhör partner {partner_id} och får inte innehålla en annan partners rader; \
             flytta raden till den partnerns egen fil."
        ),
        Reason::UnknownOrder => {
            "Partnern har ingen sådan order; rätta order-ID:t eller läs in orderns förmåner först.".to_owned()
        }
        Reason::OrderOfAnotherPartner => {
            "Ordern tillhör en annan partner; rätta order-ID:t eller partner-ID:t.".to_owned()
        }
        Reason::UnknownBenefit => {
            "Ordern har ingen sådan förmån; rätta förmånskoden eller läs in förmånen först.".to_owned()
        }
        Reason::UnknownUser => {
            "Ingen i partnerns katalog har detta objekt-ID eller användarhuvudnamn (UPN); \
             rätta det eller läs in katalogens användare först."
                .to_owned()
        }
        Reason::UserDisabled => {
            "Användaren är inaktiverad i katalogen; aktivera kontot eller ange någon annan.".to_owned()
        }
        _ => return None,
    })
}

fn change(reason: &Reason, day: Day<'_>) -> Option<String> {
    Some(match reason {
        Reason::OrderMismatch { column, expected } => format!(
            "Alla rader i en order måste stämma överens, och de övriga har {} i {column}; rätta den här raden.",
            shown(expected)
        ),
        Reason::AlreadyGranted { column, expected } => format!(
            "Kredit har beviljats med {} i {column}, som inte längre kan ändras; återställ det värdet.",
            shown(expected)
        ),
        Reason::AlreadyEnded { ended_on } => format!(
            "Detta är avslutat med {} som sista användbara dag och ingen fil kan återuppliva det; \
             en fortsättning kräver en ny order.",
            day(*ended_on)
        ),
        Reason::ConflictsWithEarlier { column, expected } => format!(
            "Samma händelse finns redan registrerad med {} i {column}; \
             återställ det värdet eller ge en annan händelse en egen nyckel.",
            shown(expected)
        ),
        Reason::CurrencyNotAccepted { expected: Currency::USD } => {
            "Beloppet måste vara i USD; rätta valutan.".to_owned()
        }
        Reason::CurrencyNotAccepted { expected } => {
            format!("Beloppet måste vara i USD eller i partnerns egen valuta, {expected}; rätta valutan.")
        }
        Reason::DiffersFromCatalogue { column, expected } => format!(
            "Inläst som det står, trots att katalogen har {} för {column}; kontrollera vilket som är rätt.",
            shown(expected)
        ),
        Reason::NoAmount => {
            "Varken raden eller katalogen anger hur stor krediten är; fyll i amount och currency.".to_owned()
        }
        _ => return None,
    })
}

fn request(reason: &Reason, day: Day<'_>) -> Option<String> {
    Some(match reason {
        Reason::RequestedInFuture { received_on } => format!(
            "Begäran är daterad senare än {}, dagen då den kom in; \
             rätta datumet eller skicka in den på nytt när dagen är inne.",
            day(*received_on)
        ),
        Reason::WaitsForOperator { earliest_on } => format!(
            "Begäran är daterad före {}, vilket är för länge sedan för att tas emot utan kontroll; \
             den väntar på operatörens beslut.",
            day(*earliest_on)
        ),
        Reason::DecidedAtNight { night_of } => {
            format!("Registrerad; natten för {} avgör.", day(*night_of))
        }
        _ => return None,
    })
}

fn assignment(reason: &Reason, day: Day<'_>) -> Option<String> {
    Some(match reason {
        Reason::NotAssignable => {
            "Den här sortens förmån tilldelas inte användare; utelämna raden.".to_owned()
        }
        Reason::OutsideBenefitDates { starts_on, ends_on } => format!(
            "Förmånen kan användas från och med {} till och med {}; välj ett datum däremellan.",
            day(*starts_on),
            day(*ends_on)
        ),
        Reason::ContactIsAccount => "Marknadskontaktens e-postadress måste vara en annan än partnerns kontoadress; ange en annan adress.".into(),
        Reason::AlreadyAssigned => "Användaren är redan tilldelad förmånen; inget behöver göras.".into(),
        Reason::NotAssigned => {
            "Användaren är inte tilldelad förmånen, så det finns inget att ta bort; kontrollera användaren."
                .to_owned()
        }
        Reason::BulkNeverRemoved => "Azure-kredit som engångsbelopp kan aldrig tas ifrån sin användare; \
             överför den till en annan användare i stället."
            .to_owned(),
        Reason::BulkAlreadyAssigned { user } => format!(
            "Azure-kredit som engångsbelopp har bara en användare, för närvarande {user}; \
             överför den i stället för att tilldela den."
        ),
        _ => return None,
    })
}

fn usage(reason: &Reason, day: Day<'_>) -> Option<String> {
    Some(match reason {
        Reason::NotACredit => {
            "Förmånen är ingen kredit, så inget kan dras från den; rätta förmånskoden.".to_owned()
        }
        Reason::UsageCurrencyDiffers { expected } => {
            format!("Krediten är i {expected}; ange förbrukningen i {expected}.")
        }
        Reason::OutsideCredit { from, until } => format!(
            "Krediten gäller från och med {} till och med {}; rätta förbrukningsdatumet.",
            day(*from),
            day(sub_days(*until, 1))
        ),
        _ => return None,
    })
}

fn renewal(reason: &Reason, day: Day<'_>) -> Option<String> {
    Some(match reason {
        Reason::RenewedTooEarly { earliest_on } => format!(
            "En förnyelse träder i kraft tidigast på årsdagen, {}; datera den då eller senare.",
            day(*earliest_on)
        ),
        Reason::RenewedTooLate { latest_on } => format!(
            "Medlemskapet kunde förnyas till och med {}; en fortsättning kräver ett nytt köp.",
            day(*latest_on)
        ),
        Reason::NewOrderTaken => {
            "Det nya order-ID:t tillhör redan ett annat medlemskap; ange ID:t för förnyelsens egen order."
                .to_owned()
        }
        _ => return None,
    })
}

fn cancellation(reason: &Reason, day: Day<'_>) -> Option<String> {
    Some(match reason {
        Reason::RefundWindowPassed { latest_on } => {
            format!(
                "Återbetalning kunde begäras till och med {}, och den dagen har passerat.",
                day(*latest_on)
            )
        }
        Reason::RequestedBeforePurchase { earliest_on } => format!(
            "Ordern köptes den {}, senare än begäran är daterad; skicka in den på nytt med rätt datum.",
            day(*earliest_on)
        ),
        Reason::RefundBlocked { event, benefit, on } => {
            let benefit = naming::benefit(benefit, Swedish);
            let done = match event.as_str() {
                "software_key_revealed" => format!("{benefit}: en produktnyckel visades"),
                "software_key_redeemed" => format!("{benefit}: en produktnyckel löstes in"),
                "software_activated" => format!("{benefit}: förmånen aktiverades"),
                "any_benefit_used" => format!("{benefit}: förmånen användes"),
                other => format!("{benefit}: {}", other.replace('_', " ")),
            };
            format!("{done} den {}, och därefter kan ordern inte återbetalas.", day(*on))
        }
        _ => return None,
    })
}

fn waiting(reason: &Reason, day: Day<'_>) -> Option<String> {
    Some(match reason {
        Reason::RateMissing { currency, on } => format!(
            "Växelkursen för {currency} den {} är inte slutgiltig; \
             krediten väntar tills en referenskurs för den dagen eller en senare har lästs in.",
            day(*on)
        ),
        Reason::RateTooOld { currency, on, published_on } => format!(
            "Den senaste växelkursen för {currency} före {} är från {} och därmed för gammal; \
             krediten väntar tills en nyare referenskurs har lästs in.",
            day(*on),
            day(*published_on)
        ),
        _ => return None,
    })
}

/// A recorded value as it stands in the sentence.
fn shown(value: &str) -> String {
    if value.is_empty() { "inget värde".to_owned() } else { format!("”{value}”") }
}

/// What a column asks for, to follow "måste vara".
pub(super) const fn expected(expected: Expected) -> &'static str {
    match expected {
        Expected::Digits => "enbart siffror",
        Expected::Quantity => "ett heltal, noll eller större",
        Expected::Date => "ett datum skrivet ÅÅÅÅ-MM-DD",
        Expected::DateOrInstant => "ett datum skrivet ÅÅÅÅ-MM-DD eller en tidpunkt som 2024-01-31T09:30:00Z",
        Expected::Amount => "ett belopp med decimalpunkt och inte fler decimaler än valutan har",
        Expected::Currency => "en valutakod på tre bokstäver, till exempel SEK",
        Expected::Country => "en landskod på två bokstäver, till exempel SE",
        Expected::Email => "en e-postadress",
        Expected::Language => "en språkkod, till exempel en eller sv-SE",
        Expected::Phone => "ett telefonnummer, till exempel +46 8 123 456",
        Expected::Guid => "ett GUID, till exempel 3f2504e0-4f89-11d3-9a0c-0305e82c3301",
        Expected::Flag => "true eller false",
        Expected::UserType => "Member eller Guest",
        Expected::Role => "en roll, eller flera åtskilda med +",
        Expected::Offer => "ett av erbjudandena action_pack, silver, gold, isv_cosell_ready",
        Expected::Benefit => {
            "en förmånskod, till exempel azure_monthly_credit eller license_subscription/office_365"
        }
        Expected::BenefitType => "core eller incremental",
        Expected::Action => "en åtgärd som filer av det här slaget har",
        Expected::RequestKind => "en sorts ärende som tas emot",
        Expected::Text => "text av måttlig längd utan styrtecken",
        Expected::Rate => "ett positivt decimaltal",
    }
}
