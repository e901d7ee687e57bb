-- TLS versions and ciphers
-- What clients agree on with each listener; read from the summary.
SELECT elb, listener, tls_protocol_version, tls_cipher, sum(records) AS connections
FROM nlb_summary
WHERE event_day >= cast(current_date - INTERVAL '1' DAY AS varchar)
GROUP BY elb, listener, tls_protocol_version, tls_cipher
ORDER BY connections DESC
LIMIT 100
