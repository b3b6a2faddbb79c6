// twilio-email-exporter as a monitoring mixin: recording rules, alerts and dashboards. README.md tells how to use it.
(import 'config.libsonnet')
+ (import 'rules.libsonnet')
+ (import 'alerts/delivery.libsonnet')
+ (import 'alerts/providers.libsonnet')
+ (import 'alerts/operations.libsonnet')
+ (import 'alerts/exporter.libsonnet')
+ (import 'alerts/watching.libsonnet')
+ (import 'dashboards.libsonnet')
