-- What COUNT rules would do
-- Rules of rule groups that matched and only counted, and what their own action would have been.
SELECT
    webaclid,
    rule_group.rulegroupid AS rule_group_id,
    rule.ruleid AS rule_id,
    rule.overriddenaction AS own_action,
    count(*) AS requests,
    count(DISTINCT httprequest.clientip) AS clients
FROM waf
CROSS JOIN UNNEST(rulegrouplist) AS groups_listed (rule_group)
CROSS JOIN UNNEST(rule_group.nonterminatingmatchingrules) AS rules_listed (rule)
WHERE
    event_day >= cast(current_date - INTERVAL '1' DAY AS varchar)
    AND rule.action = 'COUNT'
GROUP BY webaclid, rule_group.rulegroupid, rule.ruleid, rule.overriddenaction
ORDER BY requests DESC
LIMIT 50
