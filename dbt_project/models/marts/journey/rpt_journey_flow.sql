-- Where people are on their way, of everybody
{{ journey_flow() }}
