//! Enums that people choose from by a word.

/// The word of each variant of an enum: its `Display` and `FromStr`, which fails with the error that is named last, whose message
/// has the unknown word in place of `{0}`.
macro_rules! words {
    ($type:ident: $($word:literal => $variant:ident),+; $(#[$doc:meta])* $unknown:ident, $message:literal) => {
        impl ::std::fmt::Display for $type {
            fn fmt(&self, f: &mut ::std::fmt::Formatter<'_>) -> ::std::fmt::Result {
                f.write_str(match self { $(Self::$variant => $word,)+ })
            }
        }

        $(#[$doc])*
        #[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
        #[error($message)]
        pub struct $unknown(String);

        impl ::std::str::FromStr for $type {
            type Err = $unknown;

            fn from_str(word: &str) -> Result<Self, $unknown> {
                match word {
                    $($word => Ok(Self::$variant),)+
                    _ => Err($unknown(word.to_owned())),
                }
            }
        }
    };
}
pub(crate) use words;
