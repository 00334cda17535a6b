//! Made-up values of the `fake` crate, in the language of a place.

use fake::Fake as _;
use fake::faker::address::raw::{CityName, StreetName, ZipCode};
use fake::faker::company::raw::{CatchPhrase, CompanyName, Industry};
use fake::faker::internet::raw::{FreeEmail, UserAgent, Username};
use fake::faker::job::raw::Title;
use fake::faker::lorem::raw::{Paragraph, Sentence, Word};
use fake::faker::name::raw::{FirstName, LastName, Name};
use fake::faker::phone_number::raw::CellNumber;
use fake::locales::{AR_SA, DE_DE, EN, FR_FR, IT_IT, JA_JP, NL_NL, PT_BR, TR_TR, ZH_CN};

use crate::random::Random;

macro_rules! names {
    ($(#[doc = $doc:literal])+ $enum:ident $what:literal { $($variant:ident $name:literal,)* }) => {
        $(#[doc = $doc])+
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        pub enum $enum { $($variant,)* }

        impl $enum {
            pub const NAMES: &[&str] = &[$($name,)*];

            pub fn from_name(name: &str) -> Option<Self> {
                match name { $($name => Some(Self::$variant),)* _ => None }
            }
        }
    };
}

names! {
    /// Languages.
    Locale "locale" {
        En "en",
        DeDe "de_DE",
        FrFr "fr_FR",
        ItIt "it_IT",
        NlNl "nl_NL",
        PtBr "pt_BR",
        TrTr "tr_TR",
        JaJp "ja_JP",
        ZhCn "zh_CN",
        ArSa "ar_SA",
    }
}

names! {
    /// Kinds of values.
    Faker "fake" {
        Name "name",
        FirstName "first_name",
        LastName "last_name",
        Email "email",
        Username "username",
        Company "company",
        Industry "industry",
        Phrase "phrase",
        JobTitle "job_title",
        Phone "phone",
        City "city",
        Street "street",
        PostCode "post_code",
        Word "word",
        Sentence "sentence",
        Paragraph "paragraph",
        UserAgent "user_agent",
    }
}

macro_rules! in_language {
    ($locale:expr, $random:expr, $faker:ident $(, $argument:expr)*) => {
        match $locale {
            Locale::En => $faker(EN $(, $argument)*).fake_with_rng($random),
            Locale::DeDe => $faker(DE_DE $(, $argument)*).fake_with_rng($random),
            Locale::FrFr => $faker(FR_FR $(, $argument)*).fake_with_rng($random),
            Locale::ItIt => $faker(IT_IT $(, $argument)*).fake_with_rng($random),
            Locale::NlNl => $faker(NL_NL $(, $argument)*).fake_with_rng($random),
            Locale::PtBr => $faker(PT_BR $(, $argument)*).fake_with_rng($random),
            Locale::TrTr => $faker(TR_TR $(, $argument)*).fake_with_rng($random),
            Locale::JaJp => $faker(JA_JP $(, $argument)*).fake_with_rng($random),
            Locale::ZhCn => $faker(ZH_CN $(, $argument)*).fake_with_rng($random),
            Locale::ArSa => $faker(AR_SA $(, $argument)*).fake_with_rng($random),
        }
    };
}

impl Faker {
    pub fn draw(self, locale: Locale, random: &mut Random) -> String {
        match self {
            Self::Name => in_language!(locale, random, Name),
            Self::FirstName => in_language!(locale, random, FirstName),
            Self::LastName => in_language!(locale, random, LastName),
            Self::Email => in_language!(locale, random, FreeEmail),
            Self::Username => in_language!(locale, random, Username),
            Self::Company => in_language!(locale, random, CompanyName),
            Self::Industry => in_language!(locale, random, Industry),
            Self::Phrase => in_language!(locale, random, CatchPhrase),
            Self::JobTitle => in_language!(locale, random, Title),
            Self::Phone => in_language!(locale, random, CellNumber),
            Self::City => in_language!(locale, random, CityName),
            Self::Street => in_language!(locale, random, StreetName),
            Self::PostCode => in_language!(locale, random, ZipCode),
            Self::Word => in_language!(locale, random, Word),
            Self::Sentence => in_language!(locale, random, Sentence, 4..12),
            Self::Paragraph => in_language!(locale, random, Paragraph, 2..5),
            Self::UserAgent => in_language!(locale, random, UserAgent),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::random::{Domain, random};

    #[test]
    fn every_kind_gives_something_in_every_language() {
        let mut random = random(1, Domain::Block, 0);
        for locale in Locale::NAMES {
            for kind in Faker::NAMES {
                let (locale, kind) = (Locale::from_name(locale), Faker::from_name(kind));
                let value = kind.expect("known").draw(locale.expect("known"), &mut random);
                assert!(!value.is_empty(), "{kind:?} {locale:?}");
            }
        }
    }
}
