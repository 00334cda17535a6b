//! An order, as the shop tells it.

use serde_json::{Number, Value};

#[derive(Debug, PartialEq)]
pub struct Order {
    pub id: u64,
    pub customer: String,
    /// As it was written, to the last digit.
    pub total: Number,
    pub currency: String,
    pub created_at: String,
}

/// Nothing if it is no list, or if one of the orders lacks something.
pub fn list(body: &Value) -> Option<Vec<Order>> {
    body.get("orders")?.as_array()?.iter().map(order).collect()
}

fn order(value: &Value) -> Option<Order> {
    let text = |key: &str| value.get(key)?.as_str().map(str::to_owned);
    Some(Order {
        id: value.get("id")?.as_u64()?,
        customer: text("customer")?,
        total: value.get("total")?.as_number()?.clone(),
        currency: text("currency")?,
        created_at: text("created_at")?,
    })
}

#[cfg(test)]
mod tests {
    use super::list;
    use serde_json::json;

    #[test]
    fn an_order_that_lacks_something_is_none() {
        let whole =
            json!({"id": 7, "customer": "ada", "total": 9.5, "currency": "EUR", "created_at": "2026-01-02T03:04:05Z"});
        assert_eq!(list(&json!({"orders": [whole]})).map(|orders| orders[0].id), Some(7));
        assert_eq!(list(&json!({"orders": [{"id": 7}]})), None);
        assert_eq!(list(&json!({"message": "closed"})), None);
    }
}
