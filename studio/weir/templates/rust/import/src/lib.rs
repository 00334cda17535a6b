//! Makes an event of every order of a shop, once an hour.

mod order;
#[rustfmt::skip]
mod weir_types;

use order::Order;
use weir_plugin::http::Request;
use weir_plugin::{Every, Meta, Offer, Plugin, PluginError, capture, info, storage};
use weir_types::Config;

/// Where in storage the last order stands that was imported.
const CURSOR: &str = "last_order";

struct Import {
    url: String,
    token: Option<String>,
}

impl Plugin for Import {
    const OFFERS: &'static [Offer] = &[Offer::RunEvery(Every::Hour)];

    fn new(meta: &Meta) -> Result<Self, PluginError> {
        let config = Config::of(meta);
        let token = config.token().filter(|token| !token.is_empty()).map(str::to_owned);
        Ok(Self { url: config.url().to_owned(), token })
    }

    fn run_every(&mut self, _every: Every) -> Result<(), PluginError> {
        let after: u64 = storage::get(CURSOR)?.unwrap_or(0);
        let orders = self.orders_after(after)?;
        for order in &orders {
            capture("order placed")
                .distinct_id(&order.customer)
                .timestamp(&order.created_at)
                .property("order_id", order.id)
                .property("total", order.total.clone())
                .property("currency", order.currency.as_str())
                .send();
        }
        // Events and storage are kept together when this function ends: a run that fails has done neither.
        if let Some(last) = orders.iter().map(|order| order.id).max() {
            storage::set(CURSOR, &last)?;
            info!("{} new orders", orders.len());
        }
        Ok(())
    }
}

impl Import {
    fn orders_after(&self, after: u64) -> Result<Vec<Order>, PluginError> {
        let joined = if self.url.contains('?') { '&' } else { '?' };
        let mut request =
            Request::new("GET", &format!("{}{joined}after={after}", self.url)).header("accept", "application/json");
        if let Some(token) = &self.token {
            request = request.header("authorization", &format!("Bearer {token}"));
        }
        let answer = request.send()?;
        if !answer.is_success() {
            return Err(PluginError::new(format!("{} answered {} instead of orders", self.url, answer.status)));
        }
        order::list(&answer.json()?).ok_or_else(|| PluginError::new(format!("{} sent no list of orders", self.url)))
    }
}

weir_plugin::plugin!(Import);
