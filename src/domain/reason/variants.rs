//! Every reason, with its arguments; in the store it is JSON.

use chrono::NaiveDate;
use serde::{Deserialize, Serialize};
use strum::{IntoStaticStr, VariantNames};

use super::{
    super::{
        benefit::{Offer, Unit},
        directory_role::Role,
        held_back::Part,
        id::{AccessId, ContractId, OrderId, PartnerId, RequestId},
        money::Currency,
    },
    expected::Expected,
    trace::Trace,
};

/// Why a row, a request or a grant was refused, what it waits for, or a remark on it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, IntoStaticStr, VariantNames)]
#[serde(tag = "code", rename_all = "snake_case")]
#[strum(serialize_all = "snake_case")]
pub enum Reason {
    // What a cell can be wrong in.
    /// A required cell is empty.
    Missing,
    /// The cell does not hold what its column asks for; `expected` says what, by a stable name.
    Invalid {
        /// What the column asks for.
        expected: Expected,
        /// What it probably means.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        meant: Option<String>,
    },
    /// The row has another number of fields than the header.
    WrongFieldCount {
        /// Fields in the header.
        expected: usize,
        /// Fields in the row.
        found: usize,
    },
    /// A cell has text, and its column has no name.
    TextWithoutColumn {
        /// The cell's number in its row, from 1.
        cell: usize,
    },
    /// The file ends in this row without a line end, so it may be half a row.
    CutOff,
    /// A number that is one thing or another as its mark is taken, and no row of its file says how.
    AmbiguousNumber {
        /// What it is if the mark stands before decimals.
        decimal: String,
        /// What it is if the mark stands between thousands.
        whole: String,
    },
    /// A date that is one day or another as its numbers are taken, and no row of its file says how.
    AmbiguousDate {
        /// The day if its day comes first.
        day_first: NaiveDate,
        /// The day if its month comes first.
        month_first: NaiveDate,
    },
    /// Another row of its file has the other decimal mark.
    NumbersDisagree {
        /// The line of the first of them.
        line: i32,
    },
    /// Another row of its file has day and month in the other order.
    DatesDisagree {
        /// The line of the first of them.
        line: i32,
    },
    /// It is not written as the file is said to be.
    AgainstDialect {
        /// What is said of the file.
        stated: String,
    },
    /// A spreadsheet changed an identifier.
    LeftBySpreadsheet {
        /// What it made of it.
        trace: Trace,
    },
    /// A character that no identifier has.
    CharacterInIdentifier {
        /// Its number, and itself if it can be seen.
        character: String,
    },
    /// A character that is not seen, or turns the text around it.
    HiddenCharacter {
        /// Its number.
        character: String,
    },
    /// A text that was read in a wrong encoding before.
    Garbled,
    /// An identifier that differs from a known one of the same partner in nothing but case, width, dashes or leading zeros.
    AlikeKnown {
        /// The known one.
        known: String,
    },
    /// A date that no row can mean.
    DateOutOfRange {
        /// The first day that is taken.
        earliest_on: NaiveDate,
        /// The last day that is taken.
        latest_on: NaiveDate,
    },
    /// Another row of the same key in its file says something else (D16).
    RepeatedInFile {
        /// The line of that row.
        line: i32,
    },
    /// The store does not take what the row holds.
    StoreRefused {
        /// What it said.
        said: String,
    },
    /// Its file was to be applied as a whole or not at all, and rows of it are rejected.
    FileNotApplied {
        /// How many.
        rejected: u32,
    },
    /// The benefit ends before it starts.
    EndsBeforeStart,
    /// The benefit starts before it was bought.
    StartsBeforePurchase,

    // What a row can refer to in vain.
    /// No such partner is known.
    UnknownPartner,
    /// The file is of one partner, the row of another.
    OtherPartner {
        /// Whose file it is.
        partner_id: PartnerId,
    },
    /// No such order is known at this partner.
    UnknownOrder,
    /// The order is known and belongs to another partner.
    OrderOfAnotherPartner,
    /// The order has no such benefit.
    UnknownBenefit,
    /// Nobody in the partner's directory has that object id or user principal name.
    UnknownUser,
    /// It is the object id of one directory user and the user principal name of another, so it names neither.
    AmbiguousUser,
    /// The directory user is disabled.
    UserDisabled,

    /// The contact's address must differ from the partner's account e-mail (R8).
    ContactIsAccount,

    // What a file may not change (D5, D16).
    /// Offer, purchase date or start of this row differ from the order's other rows.
    OrderMismatch {
        /// The column that differs.
        column: String,
        /// What the order says.
        expected: String,
    },
    /// Credit was granted: dates and amount are fixed.
    AlreadyGranted {
        /// The column that would change.
        column: String,
        /// What it was granted with.
        expected: String,
    },
    /// The order or benefit is cancelled, expired or renewed and no file revives it.
    AlreadyEnded {
        /// Its last usable day.
        ended_on: NaiveDate,
    },
    /// The same key was recorded before with other content.
    ConflictsWithEarlier {
        /// The column that differs.
        column: String,
        /// What was recorded.
        expected: String,
    },
    /// An amount must be in US dollars or in the partner's own currency (D4).
    CurrencyNotAccepted {
        /// The partner's currency.
        expected: Currency,
    },
    /// The catalogue says otherwise for this benefit (a remark; the row holds) (D12).
    DiffersFromCatalogue {
        /// The column that differs.
        column: String,
        /// What the catalogue says.
        expected: String,
    },
    /// The offer brings no such benefit: the row is taken in, and nothing is granted of it (a remark) (R6, D12).
    NotInOffer {
        /// The offer.
        offer: Offer,
    },
    /// Neither the row nor the catalogue says how much (D12).
    NoAmount,
    /// Gold brings the difference to what silver brings (D12).
    HeldBack {
        /// The day that this is said of: of monthly credit the first of a period.
        on: NaiveDate,
        /// So much.
        held: Part,
        /// The silver order.
        order_id: OrderId,
        /// Its last usable day, without grace.
        until: NaiveDate,
    },
    /// Silver and gold state amounts that cannot be compared (D12).
    NotHeldBack {
        /// The first day of the period that this is said of.
        on: NaiveDate,
        /// The silver order.
        order_id: OrderId,
    },

    // Requests (D1).
    /// Dated after the day its file arrived.
    RequestedInFuture {
        /// The day the file arrived.
        received_on: NaiveDate,
        /// The day it is dated, on which it can be asked for.
        #[serde(default)]
        requested_on: Option<NaiveDate>,
    },
    /// Dated long before its file arrived: it waits for the operator.
    WaitsForOperator {
        /// The oldest date that needs no operator.
        earliest_on: NaiveDate,
    },
    /// Recorded; the night of that date decides (a remark).
    DecidedAtNight {
        /// The first night that sees it.
        night_of: NaiveDate,
    },

    // Assignments (R1, R2).
    /// The user is assigned to it already.
    AlreadyAssigned,
    /// This benefit is not assigned to people.
    NotAssignable,
    /// The benefit does not run on that day.
    OutsideBenefitDates {
        /// The day that is outside.
        #[serde(default)]
        on: Option<NaiveDate>,
        /// First usable day.
        starts_on: NaiveDate,
        /// Last usable day.
        ends_on: NaiveDate,
    },
    /// The user is not assigned, so cannot be removed.
    NotAssigned,
    /// Bulk credit is never removed from its user, only transferred (R2).
    BulkNeverRemoved,
    /// Bulk credit has its one user; transfer it instead (R2).
    BulkAlreadyAssigned {
        /// Who holds it.
        user: String,
    },

    // Usage (D15).
    /// The benefit is not a credit.
    NotACredit,
    /// Usage must be in the currency of the grant.
    UsageCurrencyDiffers {
        /// The grant's currency.
        expected: Currency,
    },
    /// Used on a day on which this credit was not running.
    OutsideCredit {
        /// First day of the credit.
        from: NaiveDate,
        /// First day after it.
        until: NaiveDate,
    },

    // Renewal (D5).
    /// A renewal takes effect on the anniversary date at the earliest.
    RenewedTooEarly {
        /// The anniversary date.
        earliest_on: NaiveDate,
    },
    /// A renewal takes effect in the 30 days of grace at the latest.
    RenewedTooLate {
        /// The last day it could have.
        latest_on: NaiveDate,
    },
    /// The new order's number is already another membership's.
    NewOrderTaken,

    // Cancellation (R9, D7).
    /// Asked for after the refund window.
    RefundWindowPassed {
        /// The last day it could be asked for.
        latest_on: NaiveDate,
    },
    /// Asked for before the order was bought.
    RequestedBeforePurchase {
        /// The day it was bought.
        earliest_on: NaiveDate,
    },
    /// Something was done with a benefit that blocks the refund.
    RefundBlocked {
        /// What was done: a name of the policy `refund_blockers`.
        event: String,
        /// The benefit.
        benefit: String,
        /// When.
        on: NaiveDate,
    },

    // Who may (the matrix of `role`).
    /// Who asks holds no role that the action needs.
    RoleMissing {
        /// One of these would do.
        roles: Vec<Role>,
        /// Who at that partner holds one, by user principal name.
        held_by: Vec<String>,
    },
    /// Guests are not assigned to by policy (R1).
    GuestNotAllowed,

    // Assignments, transfers, seats (R2, R4, D9, D12, D14).
    /// Only bulk credit is transferred (R2).
    NotTransferable,
    /// Only Visual Studio seats are reassigned (R4).
    NotReassignable,
    /// Both users of a transfer or reassignment are the same.
    SameUser,
    /// Bulk credit is transferred in its enrolment year only (R2).
    TransferOutsideYear {
        /// First day of the enrolment year.
        starts_on: NaiveDate,
        /// Its last day, AD − 1.
        latest_on: NaiveDate,
    },
    /// An agreement, or a live Action Pack, excludes bulk credit (R2, D14).
    BulkBlocked {
        /// Its name.
        agreement: String,
        /// The first day on which nothing excludes it; `None`: none is known while the credit runs.
        earliest_on: Option<NaiveDate>,
    },
    /// Every seat is taken (D9).
    NoSeatLeft {
        /// How many there are.
        seats: u32,
        /// The first date on which one may go to another user; `None`: there is none.
        #[serde(default)]
        earliest_on: Option<NaiveDate>,
    },
    /// A seat was freed, and opens to another user later (D9).
    SeatOpensLater {
        /// The first date on which one is open.
        earliest_on: NaiveDate,
    },
    /// A seat stays with its user until 90 days after its assignment (R4, D9).
    ReassignedTooEarly {
        /// When the clock began.
        assigned_on: NaiveDate,
        /// The first date on which it may be reassigned.
        earliest_on: NaiveDate,
    },
    /// More Visual Studio seats than the partner's group may have (D12).
    CapReached {
        /// The country that is full; `None`: all countries together.
        country: Option<String>,
        /// The most there may be.
        cap: u32,
        /// How many there would be.
        wanted: u32,
    },

    // Keys (R3, R5, D8).
    /// A cancellation of the order is being decided: nothing is revealed, redeemed or activated (D7).
    OrderFrozen {
        /// The request that asks for it.
        request_id: RequestId,
    },
    /// Only software and licence subscriptions have keys to reveal.
    NotRevealable,
    /// Only keys of licence subscriptions are redeemed.
    NotRedeemable,
    /// The benefit has no such key.
    UnknownKey,
    /// No key of the benefit is left.
    NoKeyLeft,
    /// The key was redeemed, once for ever (R3).
    KeyRedeemed {
        /// When.
        redeemed_on: NaiveDate,
    },
    /// The same key is in the store for another benefit.
    KeyOfAnotherBenefit,
    /// The key says for how many seats it is not.
    KeyWithoutSeats,
    /// The partner's own tenant is not known, and keys are redeemed onto no other (R3).
    TenantUnknown,
    /// Another tenant than the partner's own (R3).
    WrongTenant {
        /// The partner's.
        expected: String,
    },
    /// Keys were redeemed onto the partner's tenant, so it stays.
    TenantPinned {
        /// The tenant.
        expected: String,
    },
    /// There is a live subscription: a key adds seats to it or extends it (R3).
    SubscriptionLive {
        /// Its seats.
        seats: u32,
        /// Its end.
        ends_on: NaiveDate,
    },
    /// There is no live subscription to add to or extend.
    NoLiveSubscription,
    /// The key has more than three times the seats of the subscription it would extend (D8).
    ExtendsTooMuch {
        /// Seats of the key.
        seats: u32,
        /// The most it may have.
        most: u32,
    },

    // Activations (R5, R6, R8).
    /// This benefit is not activated, but made use of in another way.
    NotActivatable,
    /// It was activated before, once for ever.
    AlreadyActivated {
        /// When.
        activated_on: NaiveDate,
    },
    /// The partner has no marketing contact (R8).
    ContactMissing,
    /// The offer would end before it could go live (R8).
    EndsBeforeLive {
        /// When it would go live.
        live_on: NaiveDate,
        /// Its last usable day.
        ends_on: NaiveDate,
    },

    // Support and hours (R6, R7).
    /// Nothing that the partner has covers the request.
    NoBenefitsYet,
    /// Less is left than was asked for.
    NotEnoughLeft {
        /// Hours or incidents.
        unit: Unit,
        /// What was asked for: minutes, or incidents.
        wanted: i64,
        /// What is left, likewise.
        left: i64,
        /// The first date on which so much is left, because silver holds less back; `None`: there is none (D12).
        #[serde(default)]
        earliest_on: Option<NaiveDate>,
    },
    /// The catalogue has no such product.
    UnknownProduct,
    /// The product is not one that this kind of request is for.
    ProductNotCovered,
    /// Only the current and the previous version are supported (R6).
    VersionNotSupported {
        /// Those that are.
        supported: Vec<String>,
    },
    /// The order's support was not activated, so it has no Access ID and no Contract ID (R6).
    SupportNotActivated,
    /// The Access ID or Contract ID is not the one of the order's support (R6).
    WrongSupportId,

    // Agreements (D14).
    /// A remark: the agreement is not one that excludes bulk credit.
    AgreementNotListed,
    /// A remark: what was granted of this bulk credit stays, and it is no longer assigned or transferred.
    BulkStays {
        /// The order.
        order_id: OrderId,
        /// The benefit.
        benefit: String,
    },
    /// The credit was closed: nobody was assigned to it in time (D11).
    ActivateByPassed {
        /// The last day on which somebody could be.
        latest_on: NaiveDate,
    },

    // Files that are said to be whole (D16).
    /// It ends: a full snapshot does not have it.
    MissingInSnapshot {
        /// The date of the snapshot.
        as_of: NaiveDate,
        /// Its last usable day.
        until: NaiveDate,
    },
    /// A remark: it goes on, though a full snapshot did not have it.
    NamedAgain {
        /// What was to be its last usable day.
        until: NaiveDate,
    },
    /// Rows of a full snapshot were rejected, so it ends nothing.
    SnapshotIncomplete {
        /// How many.
        rows: i32,
    },
    /// A full snapshot would end more than the guard lets pass (promise 6).
    EndsHeld {
        /// How many.
        ends: i64,
        /// Of how many.
        live: i64,
    },

    // What came of it, told with an accepted row.
    /// The key that was revealed or redeemed.
    KeyNamed {
        /// Its name in the store.
        key_ref: String,
    },
    /// What the subscription is now.
    SubscriptionNow {
        /// Its seats.
        seats: u32,
        /// Its end.
        ends_on: NaiveDate,
    },
    /// The IDs that support is asked for with (R6).
    SupportIds {
        /// The partner's Access ID.
        access_id: AccessId,
        /// The order's Contract ID.
        contract_id: ContractId,
    },
    /// What is left after a draw.
    LeftOver {
        /// Hours or incidents.
        unit: Unit,
        /// Minutes, or incidents.
        left: i64,
    },
    /// An offer goes live (R8).
    GoesLive {
        /// From this day.
        live_on: NaiveDate,
        /// Through this day.
        until: NaiveDate,
    },

    // Files of portals.
    /// The row shows how a template is filled in, and is passed over.
    ExampleRow,
    /// It comes to less than half of the smallest coin, so that nothing is booked.
    NothingUsed,
    /// It is booked with others as one.
    Summed {
        /// How many rows there are.
        rows: u32,
        /// The line of the first.
        line: i32,
        /// What they come to.
        sum: String,
    },
    /// It was rounded once.
    Rounded {
        /// What it was.
        exact: String,
        /// What it is.
        to: String,
    },
    /// A row that it is booked with cannot be read.
    SumIncomplete {
        /// The line of that row.
        line: i32,
    },
    /// A file that tells the parts of a use apart by other columns booked as much for it (D15).
    CountedAlready {
        /// What it booked.
        booked: String,
    },
    /// A file that tells the parts of a use apart by other columns booked something else for it (D15).
    CountedOtherwise {
        /// What it booked.
        booked: String,
        /// What this file comes to.
        stated: String,
    },
    /// No credit of the partner has that subscription.
    UnknownSubscription,
    /// Several credits have that subscription on that day.
    AmbiguousSubscription {
        /// Their orders.
        orders: Vec<OrderId>,
    },
    /// The directory does not have the user yet.
    UnconfirmedUser,
    /// The directory has the user by now.
    ConfirmedUser,

    /// The operator refused a request that waited (D1).
    RefusedByOperator {
        /// Who.
        by: String,
        /// Why, in their words.
        why: String,
    },

    // Amounts (D4).
    /// The amount is more than can be kept in its currency.
    AmountTooLarge {
        /// The currency.
        currency: Currency,
    },
    /// The amount has more decimals than its currency's minor unit (ISO 4217).
    TooManyDecimals {
        /// The currency.
        currency: Currency,
        /// How many it has.
        places: u32,
    },
    /// An operator said that nothing was published on that day.
    StatedUnpublished {
        /// The day.
        on: NaiveDate,
    },

    /// A day of a rates file is later than the day on which the file arrived.
    RateInFuture {
        /// When it arrived.
        received_on: NaiveDate,
    },
    /// A rate differs greatly from the one before and is taken, because newer days are stored (D16).
    RateJumped {
        /// The one before.
        before: String,
        /// Its day.
        before_on: NaiveDate,
    },
    /// A rate differs greatly from the one before and waits for the operator (D16).
    RateUnlikely {
        /// The one before.
        before: String,
        /// Its day.
        before_on: NaiveDate,
    },

    // Waiting (D4).
    /// The rate that a grant would have waits for the operator.
    RateHeld {
        /// Its currency.
        currency: Currency,
        /// The day that needs a rate.
        on: NaiveDate,
        /// The day of the rate that waits.
        held_on: NaiveDate,
    },
    /// The rate that a grant would have was taken back.
    RateTakenBack {
        /// Its currency.
        currency: Currency,
        /// The day that needs a rate.
        on: NaiveDate,
        /// The day of the rate that was taken back.
        taken_on: NaiveDate,
    },
    /// No reference rate of that day or an earlier one is stored.
    NoEarlierRate {
        /// The partner's currency.
        currency: Currency,
        /// The day that needs a rate.
        on: NaiveDate,
    },
    /// Business days on which a newer rate may have been published are missing.
    RatesIncomplete {
        /// The partner's currency.
        currency: Currency,
        /// The day that needs a rate.
        on: NaiveDate,
        /// The first of them.
        missing_on: NaiveDate,
        /// How many there are.
        days: usize,
    },
    /// No reference rate is final for that day yet.
    RateMissing {
        /// The partner's currency.
        currency: Currency,
        /// The day that needs a rate.
        on: NaiveDate,
    },
    /// The last published rate is too old for that day.
    RateTooOld {
        /// The partner's currency.
        currency: Currency,
        /// The day that needs a rate.
        on: NaiveDate,
        /// The day of the last rate before it.
        published_on: NaiveDate,
    },
}
