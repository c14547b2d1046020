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
        .or_else(|| entitled(reason))
        .or_else(|| seat(reason, day))
        .or_else(|| key(reason, day))
        .or_else(|| activation(reason, day))
        .or_else(|| remark(reason, day))
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
        Reason::RequestedInFuture { received_on, .. } => format!(
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
        Reason::OutsideBenefitDates { starts_on, ends_on, .. } => format!(
            "Förmånen kan användas från och med {} till och med {}; välj ett datum däremellan.",
            day(*starts_on),
            day(*ends_on)
        ),
        Reason::ContactIsAccount => "Marknadskontaktens e-postadress måste vara en annan än partnerns kontoadress; ange en annan adress.".into(),
        Reason::AlreadyAssigned => "Användaren är redan tilldelad förmånen; inget behöver göras.".into(),
        Reason::NotAssigned => {
            "Användaren är inte tilldelad förmånen den dagen; kontrollera användaren."
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

fn entitled(reason: &Reason) -> Option<String> {
    Some(match reason {
        Reason::RoleMissing { roles, held_by } => {
            let roles: Vec<&str> = roles.iter().map(|role| role.name()).collect();
            let holders = if held_by.is_empty() {
                "ingen hos partnern har den".to_owned()
            } else {
                format!("hos partnern: {}", held_by.join(", "))
            };
            format!(
                "Det här kräver rollen {}; {holders}. Låt någon av dem begära det.",
                roles.join(" eller ")
            )
        }
        Reason::GuestNotAllowed => {
            "Katalogens användare är gäst, och gäster tilldelas inte här; ange en medlem.".to_owned()
        }
        _ => return None,
    })
}

fn seat(reason: &Reason, day: Day<'_>) -> Option<String> {
    Some(match reason {
        Reason::NotTransferable => {
            "Bara Azure-kredit som engångsbelopp överlåts; tilldela och ta bort andra förmåner.".to_owned()
        }
        Reason::NotReassignable => {
            "Bara Visual Studio-platser omtilldelas; tilldela och ta bort, eller överlåt, andra förmåner."
                .to_owned()
        }
        Reason::SameUser => "Båda användarna är densamma; ange en annan i to_user.".to_owned(),
        Reason::TransferOutsideYear { starts_on, latest_on } => format!(
            "Engångskredit kan bara överlåtas under sitt avtalsår, från och med {} till och med {}.",
            day(*starts_on),
            day(*latest_on)
        ),
        Reason::BulkBlocked { agreement, earliest_on: Some(earliest_on) } => format!(
            "Azure-kredit som engångsbelopp kan inte kombineras med {}; den kan användas från och med {}.",
            naming::agreement(agreement),
            day(*earliest_on)
        ),
        Reason::BulkBlocked { agreement, earliest_on: None } => format!(
            "Azure-kredit som engångsbelopp kan inte kombineras med {}, som varar längre än den.",
            naming::agreement(agreement)
        ),
        Reason::NoSeatLeft { seats } => {
            format!("Ingen plats av {seats} är ledig; frigör en, eller omtilldela en.")
        }
        Reason::SeatOpensLater { earliest_on } => {
            format!("En plats har frigjorts, och öppnas för en annan användare {}.", day(*earliest_on))
        }
        Reason::ReassignedTooEarly { assigned_on, earliest_on } => format!(
            "Platsen tilldelades {} och kan omtilldelas från och med {}.",
            day(*assigned_on),
            day(*earliest_on)
        ),
        Reason::CapReached { country, cap, wanted } => {
            let place = country.as_ref().map_or_else(|| "totalt".to_owned(), |code| format!("i {code}"));
            format!(
                "Det skulle bli {wanted} Visual Studio-platser {place}, där partnerns grupp får ha {cap}."
            )
        }
        Reason::ActivateByPassed { latest_on } => {
            format!("Ingen tilldelades krediten till och med {}, så den stängdes.", day(*latest_on))
        }
        _ => return None,
    })
}

fn key(reason: &Reason, day: Day<'_>) -> Option<String> {
    Some(match reason {
        Reason::OrderFrozen { request_id } => format!(
            "Uppsägning {request_id} av ordern håller på att avgöras; \
             till dess visas, löses in eller aktiveras ingenting."
        ),
        Reason::NotRevealable => {
            "Bara programvara och licensprenumerationer har nycklar att visa.".to_owned()
        }
        Reason::NotRedeemable => "Bara licensprenumerationers nycklar löses in.".to_owned(),
        Reason::UnknownKey => {
            "Förmånen har ingen sådan nyckel; ta namnet från exporten av nycklar, eller lämna cellen tom."
                .to_owned()
        }
        Reason::NoKeyLeft => "Förmånen har ingen nyckel kvar; importera fler.".to_owned(),
        Reason::KeyRedeemed { redeemed_on } => format!(
            "Nyckeln löstes in {}, och en inlöst nyckel kan aldrig lösas in igen; använd en annan nyckel.",
            day(*redeemed_on)
        ),
        Reason::KeyOfAnotherBenefit => {
            "Samma nyckel finns redan för en annan förmån; kontrollera vilken av dem den hör till.".to_owned()
        }
        Reason::KeyWithoutSeats => {
            "Det är inte känt hur många platser nyckeln gäller; importera den igen med antalet platser."
                .to_owned()
        }
        Reason::TenantUnknown => {
            "Partnerns egen klientorganisation är inte känd; importera först partnern med dess tenant_id."
                .to_owned()
        }
        Reason::WrongTenant { expected } => {
            format!("Nycklar löses in i partnerns egen klientorganisation, {expected}, och ingen annan.")
        }
        Reason::TenantPinned { expected } => format!(
            "Nycklar har lösts in i klientorganisationen {expected}, som inte längre kan ändras; återställ den."
        ),
        Reason::SubscriptionLive { seats, ends_on } => format!(
            "Det finns en aktiv prenumeration med {seats} platser till och med {}; välj add_seats eller extend.",
            day(sub_days(*ends_on, 1))
        ),
        Reason::NoLiveSubscription => {
            "Det finns ingen aktiv prenumeration att utöka eller förlänga; välj new.".to_owned()
        }
        Reason::ExtendsTooMuch { seats, most } => format!(
            "En nyckel med {seats} platser kan inte förlänga prenumerationen, där {most} är det högsta; \
             lägg till platserna i stället."
        ),
        _ => return None,
    })
}

fn activation(reason: &Reason, day: Day<'_>) -> Option<String> {
    Some(match reason {
        Reason::NotActivatable => "Förmånen aktiveras inte: kredit och platser tilldelas, licensnycklar löses in, \
             timmar begärs."
            .to_owned(),
        Reason::AlreadyActivated { activated_on } => {
            format!("Förmånen aktiverades {}; ingenting behöver göras.", day(*activated_on))
        }
        Reason::ContactMissing => {
            "Partnern har ingen marknadskontakt, och en sådan måste anges innan ett erbjudande aktiveras.".to_owned()
        }
        Reason::EndsBeforeLive { live_on, ends_on } => format!(
            "Erbjudandet upphör den {}, och aktiverat nu skulle det bli tillgängligt först den {}.",
            day(*ends_on),
            day(*live_on)
        ),
        Reason::NoBenefitsYet => "Det ser inte ut som om ni har några förmåner ännu. Antingen har partnern inget aktivt \
             erbjudande som ger förmånen, eller så är det inte det här kontot som har den."
            .to_owned(),
        Reason::NotEnoughLeft { unit, wanted, left } => format!(
            "Begäran gäller {}, och {} finns kvar.",
            naming::units(*unit, *wanted, Swedish),
            naming::units(*unit, *left, Swedish)
        ),
        Reason::UnknownProduct => "Katalogen har ingen sådan produkt; rätta namnet.".to_owned(),
        Reason::ProductNotCovered => {
            "Produktsupport gäller lokalt installerade produkter, molnsupport onlinetjänster; välj det andra slaget."
                .to_owned()
        }
        Reason::VersionNotSupported { supported } if supported.is_empty() => {
            "Ingen version av produkten stöds den dagen.".to_owned()
        }
        Reason::VersionNotSupported { supported } => {
            format!("Bara den nuvarande och den föregående versionen stöds: {}.", supported.join(", "))
        }
        Reason::SupportNotActivated => {
            "Orderns support är inte aktiverad, så den har inget åtkomst-ID och inget avtals-ID; aktivera den först."
                .to_owned()
        }
        Reason::WrongSupportId => {
            "Detta ID är inte det som gäller partnerns support; ta det från svaret på aktiveringen.".to_owned()
        }
        _ => return None,
    })
}

fn remark(reason: &Reason, day: Day<'_>) -> Option<String> {
    Some(match reason {
        Reason::AgreementNotListed => {
            "Registrerat; avtalet utesluter inte Azure-kredit som engångsbelopp.".to_owned()
        }
        Reason::BulkStays { order_id, benefit } => format!(
            "{} i {order_id} har beviljats och består; den tilldelas eller överlåts inte längre.",
            naming::benefit(benefit, Swedish)
        ),
        Reason::KeyNamed { key_ref } => format!("Det är nyckel {key_ref}."),
        Reason::SubscriptionNow { seats, ends_on } => {
            format!("Prenumerationen har nu {seats} platser och slutar {}.", day(*ends_on))
        }
        Reason::SupportIds { access_id, contract_id } => {
            format!("Åtkomst-ID {access_id}, avtals-ID {contract_id}.")
        }
        Reason::LeftOver { unit, left } => {
            format!("Kvar: {}.", naming::units(*unit, *left, Swedish))
        }
        Reason::GoesLive { live_on, until } => {
            format!("Erbjudandet gäller från och med {} till och med {}.", day(*live_on), day(*until))
        }
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
        Expected::Positive => "ett heltal större än noll",
        Expected::Key => "en produktnyckel: bokstäver, siffror och bindestreck, minst åtta",
        Expected::KeyRef => "en nyckels namn, till exempel K17",
        Expected::RedeemMode => "new, add_seats eller extend",
        Expected::Hours => "timmar, till exempel 1.5, i hela minuter",
        Expected::Url => "en webbadress som börjar med https://",
    }
}
