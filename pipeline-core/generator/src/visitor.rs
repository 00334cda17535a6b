//! One visitor of the shop, from the first page to the purchase.

use fake::Fake as _;
use fake::faker::address::en::{CityName, CountryCode};
use fake::faker::company::en::CompanyName;
use fake::faker::internet::en::FreeEmail;
use fake::faker::name::en::Name;
use rand::RngExt as _;
use rand_chacha::ChaCha8Rng;
use serde_json::{Map, Value, json};
use uuid::Uuid;

/// Name, slug, price in cents.
const PRODUCTS: [(&str, &str, u32); 8] = [
    ("Trail Jacket", "trail-jacket", 12_900),
    ("Wool Beanie", "wool-beanie", 2_400),
    ("Canvas Tote", "canvas-tote", 1_800),
    ("Steel Bottle", "steel-bottle", 2_950),
    ("Camp Mug", "camp-mug", 1_450),
    ("Merino Socks", "merino-socks", 1_900),
    ("Headlamp", "headlamp", 4_500),
    ("Down Vest", "down-vest", 9_900),
];
const CATEGORIES: [&str; 4] = ["jackets", "accessories", "camping", "sale"];
const BROWSERS: [(&str, &str); 4] = [("Chrome", "142"), ("Safari", "19"), ("Firefox", "145"), ("Edge", "142")];
const SYSTEMS: [(&str, &str); 5] =
    [("Windows", "Desktop"), ("Mac OS X", "Desktop"), ("iOS", "Mobile"), ("Android", "Mobile"), ("Linux", "Desktop")];
const CAMPAIGNS: [(&str, &str, &str); 3] =
    [("newsletter", "email", "autumn"), ("google", "cpc", "brand"), ("instagram", "social", "creators")];

/// Where a visitor is in their story.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Step {
    Landing,
    Browsing,
    Product,
    Cart,
    SignUp,
    Checkout,
    Gone,
}

#[derive(Debug)]
pub(crate) struct Visitor {
    anonymous_id: String,
    session_id: String,
    user: Option<User>,
    browser: (&'static str, &'static str),
    system: (&'static str, &'static str),
    campaign: Option<(&'static str, &'static str, &'static str)>,
    city: String,
    country: String,
    is_bot: bool,
    step: Step,
    product: usize,
    cart: Vec<usize>,
    pages: u32,
}

#[derive(Debug)]
struct User {
    id: String,
    name: String,
    email: String,
    company: String,
}

/// What a visitor does: event name, distinct id, properties.
pub(crate) struct Deed {
    pub event: &'static str,
    pub distinct_id: String,
    pub properties: Map<String, Value>,
}

impl Visitor {
    pub fn arrive(random: &mut ChaCha8Rng) -> Self {
        let id = |random: &mut ChaCha8Rng| Uuid::from_u128(random.random()).to_string();
        Self {
            anonymous_id: id(random),
            session_id: id(random),
            user: None,
            browser: BROWSERS[random.random_range(0..BROWSERS.len())],
            system: SYSTEMS[random.random_range(0..SYSTEMS.len())],
            campaign: random.random_bool(0.3).then(|| CAMPAIGNS[random.random_range(0..CAMPAIGNS.len())]),
            city: CityName().fake_with_rng(random),
            country: CountryCode().fake_with_rng(random),
            is_bot: random.random_bool(0.04),
            step: Step::Landing,
            product: 0,
            cart: Vec::new(),
            pages: 0,
        }
    }

    pub fn has_left(&self) -> bool {
        self.step == Step::Gone
    }

    /// The next thing this visitor does.
    pub fn act(&mut self, random: &mut ChaCha8Rng) -> Deed {
        self.pages += 1;
        match self.step {
            Step::Landing => {
                self.step = Step::Browsing;
                self.page_view("/", random)
            }
            Step::Browsing => {
                let category = CATEGORIES[random.random_range(0..CATEGORIES.len())];
                self.step = if random.random_bool(0.7) { Step::Product } else { self.wander(random) };
                self.page_view(&format!("/c/{category}/"), random)
            }
            Step::Product => {
                self.product = random.random_range(0..PRODUCTS.len());
                self.step = if random.random_bool(0.4) { Step::Cart } else { self.wander(random) };
                self.page_view(&format!("/p/{}", PRODUCTS[self.product].1), random)
            }
            Step::Cart => {
                self.cart.push(self.product);
                self.step = match (self.user.is_some(), random.random_bool(0.6)) {
                    (_, false) => Step::Browsing,
                    (true, true) => Step::Checkout,
                    (false, true) => Step::SignUp,
                };
                let (name, slug, cents) = PRODUCTS[self.product];
                self.deed("product added", json!({"product": name, "product_id": slug, "price": euros(cents)}))
            }
            Step::SignUp => {
                self.step = Step::Checkout;
                self.sign_up(random)
            }
            Step::Checkout => {
                self.step = if random.random_bool(0.2) { Step::Browsing } else { Step::Gone };
                self.purchase(random)
            }
            Step::Gone => self.page_view("/goodbye", random),
        }
    }

    fn wander(&self, random: &mut ChaCha8Rng) -> Step {
        if self.pages > 12 || random.random_bool(0.15) { Step::Gone } else { Step::Browsing }
    }

    fn page_view(&mut self, path: &str, random: &mut ChaCha8Rng) -> Deed {
        // Untidy addresses, as they come: what a plugin that tidies them is for.
        let host = if random.random_bool(0.2) { "WWW.Weir-Shop.example" } else { "www.weir-shop.example" };
        let query = self.campaign.filter(|_| self.pages == 1).map_or_else(String::new, |(source, medium, name)| {
            format!("?utm_source={source}&utm_medium={medium}&utm_campaign={name}")
        });
        let mut extra =
            json!({"$current_url": format!("https://{host}{path}{query}"), "$pathname": path, "$host": host});
        if let Some((source, medium, name)) = self.campaign.filter(|_| self.pages == 1) {
            extra["utm_source"] = source.into();
            extra["utm_medium"] = medium.into();
            extra["utm_campaign"] = name.into();
        }
        self.deed("$pageview", extra)
    }

    fn sign_up(&mut self, random: &mut ChaCha8Rng) -> Deed {
        let user = User {
            id: format!("user_{:08x}", random.random::<u32>()),
            name: Name().fake_with_rng(random),
            email: FreeEmail().fake_with_rng(random),
            company: CompanyName().fake_with_rng(random),
        };
        let set = json!({"name": user.name, "email": user.email, "company": user.company});
        self.user = Some(user);
        self.deed(
            "$identify",
            json!({"$anon_distinct_id": self.anonymous_id, "$set": set, "$set_once": {"signed_up_on": "web"}}),
        )
    }

    fn purchase(&mut self, random: &mut ChaCha8Rng) -> Deed {
        let cents: u32 = self.cart.iter().map(|product| PRODUCTS[*product].2).sum();
        let items: Vec<_> = self.cart.drain(..).map(|product| PRODUCTS[product].1).collect();
        let payment = ["card", "paypal", "invoice"][random.random_range(0..3)];
        let order = format!("ord_{:06x}", random.random_range(0..0x00ff_ffff_u32));
        self.deed(
            "purchase",
            json!({"order_id": order, "items": items, "item_count": items.len(), "revenue": euros(cents),
                   "currency": "EUR", "payment": payment}),
        )
    }

    fn deed(&self, event: &'static str, extra: Value) -> Deed {
        let distinct_id = self.user.as_ref().map_or_else(|| self.anonymous_id.clone(), |user| user.id.clone());
        let shared = json!({
            "$browser": self.browser.0,
            "$browser_version": self.browser.1,
            "$os": self.system.0,
            "$device_type": self.system.1,
            "$session_id": self.session_id,
            "$device_id": self.anonymous_id,
            "$lib": "weir-demo",
            "city": self.city,
            "country": self.country,
            "$is_bot": self.is_bot,
        });
        let mut properties = Map::new();
        for part in [shared, extra] {
            if let Value::Object(part) = part {
                properties.extend(part);
            }
        }
        Deed { event, distinct_id, properties }
    }
}

fn euros(cents: u32) -> f64 {
    f64::from(cents) / 100.0
}
