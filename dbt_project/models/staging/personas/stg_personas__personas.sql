with latest as (
    {{ latest_versions(source('raw_personas', 'personas'), ['_file']) | indent(4) }}
)

select
    _row_id as persona_key,
    trim(name) as persona,
    who,
    needs,
    fears,
    persona_values,
    tastes,
    content,
    offers,
    path
from latest
-- Of two files with one name the first by path counts
qualify row_number() over (partition by lower(trim(name)) order by _file, _row_id) = 1
