-- TLS versions and ciphers
-- What clients agree on with each listener; read from the summary. Nothing is there for connections that are not TLS.
SELECT elb, listener_port, tls_protocol, tls_cipher, sum(records) AS connections
FROM alb_connection_summary
WHERE event_day >= cast(current_date - INTERVAL '1' DAY AS varchar)
GROUP BY elb, listener_port, tls_protocol, tls_cipher
ORDER BY connections DESC
LIMIT 100
