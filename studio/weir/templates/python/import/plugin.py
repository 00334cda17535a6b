"""Makes an event of every order of a shop, once an hour."""

from weir import capture

# Where in storage the last order stands that was imported.
CURSOR = "last_order"


def run_every_hour(meta):
    orders = orders_after(meta.storage.get(CURSOR, 0), meta)
    for order in orders:
        capture(
            "order placed",
            {"order_id": order["id"], "total": order["total"], "currency": order["currency"]},
            distinct_id=order["customer"],
            timestamp=order["created_at"],
        )
    # Events and storage are kept together when this function ends: a run that fails has done neither.
    if orders:
        meta.storage.set(CURSOR, max(order["id"] for order in orders))
        meta.log.info(f"{len(orders)} new orders")


def orders_after(after, meta):
    url, token = meta.config["url"], meta.config.get("token")
    headers = {"accept": "application/json"}
    if token:
        headers["authorization"] = f"Bearer {token}"
    answer = meta.http.get(f"{url}{'&' if '?' in url else '?'}after={after}", headers=headers)
    if not answer.ok:
        raise RuntimeError(f"{url} answered {answer.status} instead of orders")
    orders = answer.json().get("orders")
    if not isinstance(orders, list):
        raise RuntimeError(f"{url} sent no list of orders")
    return orders
