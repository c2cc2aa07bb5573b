"""Which of the pretend shop's online orders are presents: for whom and what for.

Data flow: orders -> `gifts`, which the orders of the shop's API carry; truth/gifts.
Does not belong here: the days themselves (occasions) or the shape of an order (write_shopify).

What an order is depends on nothing but its number and its day, so no other draw changes.
"""

from __future__ import annotations

# Per cent of the orders in the weeks before an occasion; birthdays are all the year.
_SHARE = {"christmas": 35, "valentines_day": 15, "mothers_day": 18, "fathers_day": 12}
_BIRTHDAYS = 6
_SAY_WHAT_FOR = 80
# For presents whose day does not say for whom
_RECIPIENTS = ("Mum", "Dad", "my sister", "Robin", "a friend", "Grandma")

_SHARES = ", ".join(f"('{name}', {share})" for name, share in _SHARE.items())
_NAMES = ", ".join(f"'{name}'" for name in _RECIPIENTS)

GIFTS = f"""
create or replace temp table gifts as
with cast_dice as (
    select o, person, placed, md5_number_lower(concat_ws(':', seed(), 'gift', number)) as dice
    from orders where is_online and not is_test
),
meant as (
    select c.*, d.occasion as day, coalesce(d.occasion, 'birthday') as occasion
    from cast_dice c
    left join (
        select o.o, min(s.occasion) as occasion from cast_dice o
        join gift_days g on o.placed >= g.starts and o.placed < g.ends
        join (values {_SHARES}) as s(occasion, share) on s.occasion = g.occasion
        where o.dice % 100 < s.share group by o.o
    ) d using (o)
    where d.occasion is not null or dice % 100 >= {100 - _BIRTHDAYS}
),
named as (
    select o, person, occasion, dice // 100 % 100 < {_SAY_WHAT_FOR} as says_what_for,
        case occasion when 'mothers_day' then 'Mum' when 'fathers_day' then 'Dad'
            when 'valentines_day' then 'my love'
            else ([{_NAMES}])[(dice // 10000 % {len(_RECIPIENTS)} + 1)::integer] end as recipient
    from meant
)
select *,
    [{{'key': 'gift', 'value': 'true'}}, {{'key': 'gift_for', 'value': recipient}}]
        || case when says_what_for
            then [{{'key': 'occasion', 'value': replace(occasion, '_', ' ')}}] else [] end
        as attributes
from named
"""

TRUTH = """
select order_id(o.number)::text as order_id, p.person_id, g.recipient, g.occasion, g.says_what_for
from gifts g join orders o on o.o = g.o join people p on p.p = g.person
order by o.number
"""
