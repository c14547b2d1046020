//! What things are called as the database has it: the store's numbers are `bigint`, names from outside and words of a few are
//! `text`.

use sqlx::{
    Decode, Encode, Postgres, Type,
    encode::IsNull,
    error::BoxDynError,
    postgres::{PgArgumentBuffer, PgHasArrayType, PgTypeInfo, PgValueRef},
};

use crate::domain::{
    id::{
        AccessId, ContractId, DecisionNo, EntitlementNo, FileNo, KeyNo, ObjectId, OrderId, OrderNo,
        PartnerId, PartnerNo, RequestId, RequestNo, RunNo, SubscriptionId, TenantId, UsageNo, UserNo,
    },
    notice::Stream,
    suppression::SuppressionScope,
};

/// Reads and binds numbers as `bigint`.
macro_rules! bigint {
    ($($name:ty),*) => {$(
        impl Type<Postgres> for $name {
            fn type_info() -> PgTypeInfo {
                <i64 as Type<Postgres>>::type_info()
            }
        }

        impl PgHasArrayType for $name {
            fn array_type_info() -> PgTypeInfo {
                <i64 as PgHasArrayType>::array_type_info()
            }
        }

        impl Encode<'_, Postgres> for $name {
            fn encode_by_ref(&self, buffer: &mut PgArgumentBuffer) -> Result<IsNull, BoxDynError> {
                self.get().encode_by_ref(buffer)
            }
        }

        impl Decode<'_, Postgres> for $name {
            fn decode(value: PgValueRef<'_>) -> Result<Self, BoxDynError> {
                <i64 as Decode<'_, Postgres>>::decode(value).map(Self::from)
            }
        }
    )*};
}

bigint!(UsageNo, DecisionNo, RequestNo, KeyNo, RunNo, EntitlementNo, FileNo, OrderNo, PartnerNo, UserNo);

/// Reads and binds names as `text`.
macro_rules! text {
    ($($name:ty),*) => {$(
        impl Type<Postgres> for $name {
            fn type_info() -> PgTypeInfo {
                <String as Type<Postgres>>::type_info()
            }

            fn compatible(of: &PgTypeInfo) -> bool {
                <String as Type<Postgres>>::compatible(of)
            }
        }

        impl PgHasArrayType for $name {
            fn array_type_info() -> PgTypeInfo {
                <String as PgHasArrayType>::array_type_info()
            }

            fn array_compatible(of: &PgTypeInfo) -> bool {
                <String as PgHasArrayType>::array_compatible(of)
            }
        }

        impl Encode<'_, Postgres> for $name {
            fn encode_by_ref(&self, buffer: &mut PgArgumentBuffer) -> Result<IsNull, BoxDynError> {
                <&str as Encode<'_, Postgres>>::encode(self.as_str(), buffer)
            }
        }

        impl Decode<'_, Postgres> for $name {
            fn decode(value: PgValueRef<'_>) -> Result<Self, BoxDynError> {
                <String as Decode<'_, Postgres>>::decode(value).map(Self::from)
            }
        }
    )*};
}

text!(AccessId, ContractId, ObjectId, OrderId, PartnerId, RequestId, SubscriptionId, TenantId);

/// Reads and binds as `text` what is one of a few words.
macro_rules! words {
    ($($name:ty),*) => {$(
        impl Type<Postgres> for $name {
            fn type_info() -> PgTypeInfo {
                <String as Type<Postgres>>::type_info()
            }

            fn compatible(of: &PgTypeInfo) -> bool {
                <String as Type<Postgres>>::compatible(of)
            }
        }

        impl PgHasArrayType for $name {
            fn array_type_info() -> PgTypeInfo {
                <String as PgHasArrayType>::array_type_info()
            }
        }

        impl Encode<'_, Postgres> for $name {
            fn encode_by_ref(&self, buffer: &mut PgArgumentBuffer) -> Result<IsNull, BoxDynError> {
                <&str as Encode<'_, Postgres>>::encode(self.as_str(), buffer)
            }
        }

        impl Decode<'_, Postgres> for $name {
            fn decode(value: PgValueRef<'_>) -> Result<Self, BoxDynError> {
                let word = <&str as Decode<'_, Postgres>>::decode(value)?;
                Self::parse(word).ok_or_else(|| format!("{}: unknown: {word}", stringify!($name)).into())
            }
        }
    )*};
}

words!(Stream, SuppressionScope);
