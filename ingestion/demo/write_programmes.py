"""The pretend shop's own sender: the steps of its texts and push messages, and their truth.

Data flow: tables of a block -> messages/; truth/programmes, and stops for truth/consents.
"""

from __future__ import annotations

from dataclasses import fields

import numpy as np
import pyarrow as pa

from ingestion.demo import programmes
from ingestion.demo.tables import Connection, create_table
from ingestion.demo.world import Block, World

# A reply to a text and the browser's switch both end a channel; only the reply has words.
MESSAGES = """
with steps as (
    select *, 0 as step, 'sent' as event, sent as occurred from programme_messages
    union all select *, 1, 'delivered', delivered from programme_messages where delivered > 0
    union all select *, 1, 'failed', failed from programme_messages where failed > 0
    union all select *, 2, 'opened', opened from programme_messages where opened > 0
    union all select *, 3, 'clicked', clicked from programme_messages where clicked > 0
    union all select *, 4, 'replied', replied from programme_messages where replied > 0
    union all select *, 5, 'unsubscribed', stopped
    from programme_messages where stopped > 0 and replied = 0
)
select
    'msg_' || md5(concat_ws(':', seed(), block(), c.campaign_id, s.person))[1:16] as message_id,
    k.name as channel,
    if(k.name = 'sms', 'phone', 'device') as identifier_type,
    a.value as identifier_value,
    s.event,
    iso(s.occurred) as occurred_at,
    c.campaign_id,
    'promo' as message_kind,
    case when s.event = 'clicked' then 'https://shop.example.com/?utm_source=' || k.name end as url,
    case when s.event = 'failed' then if(s.is_gone, 'the browser is gone', 'not reached') end
        as reason,
    case when s.event = 'replied' then if(s.stopped > 0, st.name, an.name) end as text
from steps s
join programme_campaigns c on c.row = s.campaign
join programme_channels k on k.code = s.channel
join programme_addresses a on a.channel = s.channel and a.address = s.address
left join programme_stops st on st.code = s.text
left join programme_answers an on an.code = s.text
where s.occurred < getvariable('programmes_until')
order by s.occurred, c.campaign_id, s.person, s.step
"""

# Phones and devices are numbered each by itself, as `Sent.address` has them.
_ADDRESSES = f"""
create or replace temp table programme_addresses as
select {programmes.SMS} as channel, k as address, value from phones
union all select {programmes.PUSH}, d, value from devices
"""

# Beside the log of consent: what a browser allowed, and who said stop to a message.
_PERMISSIONS = """
create or replace temp table programme_permissions as
select person, d.value as identifier_value, 'push' as channel, 0 as status, since as occurred
from push_permitted join devices d on d.d = address where since < getvariable('programmes_until')
union all
select person, a.value, k.name, 2, stopped
from programme_messages m join programme_channels k on k.code = m.channel
join programme_addresses a on a.channel = m.channel and a.address = m.address
where stopped > 0 and stopped < getvariable('programmes_until')
"""

TRUTH = """
select c.campaign_id, k.name as channel, moment(c.sent) as sent_at, count(s.person) as people,
    count(s.person) filter (where s.failed > 0) as failed,
    count(s.person) filter (where s.stopped > 0) as stopped,
    0 as extra_orders
from programme_campaigns c join programme_channels k on k.code = c.channel
left join programme_messages s on s.campaign = c.row
group by all order by all
"""


def prepare(con: Connection, world: World, block: Block, until: int | None = None) -> None:
    """Draw and load the block's texts and push messages; needs the block's tables."""
    until = until or world.calendar.end
    listed = programmes.campaigns(world.calendar, until)
    sent, (_, pushed) = programmes.send(block, listed)
    con.execute(f"set variable programmes_until = {until}")
    tables = {
        "programme_messages": pa.table({f.name: getattr(sent, f.name) for f in fields(sent)}),
        "programme_campaigns": pa.table(
            {
                "row": np.arange(len(listed)),
                "channel": [each.channel for each in listed],
                "campaign_id": [each.campaign_id for each in listed],
                "sent": [each.sent for each in listed],
            }
        ),
        "push_permitted": pa.table(
            {"person": np.arange(len(pushed.since)), "address": pushed.address}
            | {"since": pushed.since}
        ),
    }
    for name, table in tables.items():
        create_table(con, name, table)
    con.execute(_ADDRESSES)
    con.execute(_PERMISSIONS)
