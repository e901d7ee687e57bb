"""What AWS does and the emulator leaves out, inside the emulator, for what is really deployed.

Each module stands for one thing and says where AWS documents it: `roles` (what a service may do by
a role), `log_subscriptions` (CloudWatch Logs to Kinesis and Firehose), `firehose` (buffering,
decompression, compression), `stream_mappings` (Lambda reading a Kinesis stream),
`realtime_logs` (CloudFront's configurations), `state_machines` (the role of a machine, a map's
children). They read the emulator's own records of filters,
streams, mappings and roles, so that only what CloudFormation made has an effect.
`asked_rights` stands for nothing: it writes down which rights roles are asked for.
"""
