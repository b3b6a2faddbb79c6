// The dashboards of grafana/, unchanged.
{
  grafanaDashboards+:: {
    'overview.json': import '../../grafana/overview.json',
    'operation.json': import '../../grafana/operation.json',
    'deliverability.json': import '../../grafana/deliverability.json',
    'exporter.json': import '../../grafana/exporter.json',
  },
}
