// The dashboards as they are kept for everybody; the mixin has none of its own.
{
  grafanaDashboards+:: {
    'overview.json': import '../../grafana/overview.json',
    'operation.json': import '../../grafana/operation.json',
    'deliverability.json': import '../../grafana/deliverability.json',
    'exporter.json': import '../../grafana/exporter.json',
  },
}
