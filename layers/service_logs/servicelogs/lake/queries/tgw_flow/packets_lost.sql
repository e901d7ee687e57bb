-- Packets lost
-- Attachments whose packets were dropped, by reason; read from the summary.
SELECT
    tgw_id,
    tgw_attachment_id,
    sum(packets_lost_no_route_sum) AS no_route,
    sum(packets_lost_blackhole_sum) AS blackhole,
    sum(packets_lost_mtu_exceeded_sum) AS mtu_exceeded,
    sum(packets_lost_ttl_expired_sum) AS ttl_expired
FROM tgw_flow_summary
WHERE event_day >= cast(current_date - INTERVAL '1' DAY AS varchar)
GROUP BY tgw_id, tgw_attachment_id
HAVING
    sum(packets_lost_no_route_sum) > 0
    OR sum(packets_lost_blackhole_sum) > 0
    OR sum(packets_lost_mtu_exceeded_sum) > 0
    OR sum(packets_lost_ttl_expired_sum) > 0
ORDER BY no_route DESC
LIMIT 50
