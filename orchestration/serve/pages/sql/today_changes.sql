-- What is new since a day before the build, and since a week before: people, orders, refusals, moves.
select
    (select count(*) from marts.dim_customers where first_seen_at > $as_of - interval 1 day)
        as people_1d,
    (select count(*) from marts.dim_customers where first_seen_at > $as_of - interval 7 day)
        as people_7d,
    (select count(*) from marts.fct_orders
        where is_counted and ordered_at > $as_of - interval 1 day) as orders_1d,
    (select count(*) from marts.fct_orders
        where is_counted and ordered_at > $as_of - interval 7 day) as orders_7d,
    (select sum(net_sales_shop) from marts.fct_orders
        where is_counted and ordered_at > $as_of - interval 1 day) as net_sales_1d,
    (select sum(net_sales_shop) from marts.fct_orders
        where is_counted and ordered_at > $as_of - interval 7 day) as net_sales_7d,
    (select count(*) from marts.fct_customer_journey_stages
        where entered_at > $as_of - interval 1 day) as stages_1d,
    (select count(*) from marts.fct_customer_journey_stages
        where entered_at > $as_of - interval 7 day) as stages_7d
