-- Failed handshakes
-- TLS alerts by client: connections that came to nothing.
SELECT elb, listener, client_ip, incoming_tls_alert, domain_name, count(*) AS connections
FROM nlb
WHERE
    event_day >= cast(current_date - INTERVAL '1' DAY AS varchar)
    AND incoming_tls_alert IS NOT NULL
GROUP BY elb, listener, client_ip, incoming_tls_alert, domain_name
ORDER BY connections DESC
LIMIT 50
