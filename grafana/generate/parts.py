"""What the dashboards are made of: queries, panels, and the one meaning of each color."""

from grafana_foundation_sdk.builders import (
    bargauge, common as shared, dashboard as of_dashboard, heatmap as of_heatmap, prometheus, stat as of_stat,
    table as of_table, text as of_text, timeseries,
)
from grafana_foundation_sdk.models import common, dashboard as model, heatmap as heatmap_model
from grafana_foundation_sdk.models.prometheus import PromQueryFormat

DATASOURCE = model.DataSourceRef(type_val="prometheus", uid="${datasource}")

# One color, one meaning, on every panel. Names of Grafana's palette follow the theme; the grey is readable on both.
GREY = "#8b93a1"
COLORS = {
    "failed": "red",
    "undelivered": "orange",
    "lost": "red",
    "delivered": "green",
    "opened": "blue",
    "in transit": "yellow",
    "queued": "purple",
    "scheduled": "light-purple",
    "canceled": GREY,
    "accepted": "purple",
    "processing": "purple",
    "completed": "green",
    "finished": "green",
}


def thresholds(base, *steps):
    """Colors from `base` upwards: `(value, color)`."""
    steps = [model.Threshold(None, base), *(model.Threshold(value, color) for value, color in steps)]
    return model.ThresholdsConfig(mode=model.ThresholdsMode.ABSOLUTE, steps=steps)


# What sending providers act on: docs/dashboards.md has the sources.
LOSS = thresholds("green", (0.02, "yellow"), (0.05, "orange"), (0.1, "red"))
BURN = thresholds("green", (1, "yellow"), (6, "orange"), (14.4, "red"))
PLAIN = thresholds("text")
ANY_IS_BAD = thresholds("green", (1, "red"))


# Queries


def query(expr, legend="__auto"):
    return prometheus.Dataquery().expr(expr).legend_format(legend).range().datasource(DATASOURCE)


def now(expr, legend="__auto"):
    """A query about the end of the time shown alone."""
    return query(expr, legend).instant()


def column(expr):
    """A query whose result is a column of a table."""
    return now(expr).format(PromQueryFormat.TABLE)


# Fields


def words(**named):
    """Value mappings: number or text, what is shown, and its color."""
    options = {
        key.lstrip("_").replace("minus", "-"): model.ValueMappingResult(text=text, color=color, index=index)
        for index, (key, (text, color)) in enumerate(named.items())
    }
    return [model.ValueMap(options=options)]


def override(name, by="byName", **properties):
    """Properties of one field; `custom_…` means `custom.…`."""
    listed = [
        model.DynamicConfigValue(id_val=key.replace("custom_", "custom.", 1), value=value)
        for key, value in properties.items()
    ]
    return model.MatcherConfig(id_val=by, options=name), listed


def fixed(color):
    return {"mode": "fixed", "fixedColor": color}


def color(name, shade=None, **properties):
    return override(name, color=fixed(shade or COLORS[name]), **properties)


def colored(*names):
    return [color(name) for name in names]


# Panels


class Ready:
    """What a method of the library wants to build, already built."""

    def __init__(self, value):
        self.value = value

    def build(self):
        return self.value


def common_to_all(panel, title, description, size, queries, unit, overrides=(), **defaults):
    """What every panel has. `defaults`: `steps`, `links`, `mappings`, `empty`, `decimals`, `least`, `greatest`."""
    width, height = size
    panel.title(title).description(description).datasource(DATASOURCE).span(width).height(height).unit(unit)
    for index, target in enumerate(queries):
        panel.with_target(target.ref_id(chr(ord("A") + index)))
    for matcher, properties in overrides:
        panel.with_override(matcher, properties)
    for name, value in defaults.items():
        match name:
            case "steps":
                panel.thresholds(Ready(value))
            case "links":
                panel.data_links([Ready(link) for link in value])
            case "mappings":
                panel.mappings(value)
            case "empty":
                panel.no_value(value)
            case "decimals":
                panel.decimals(value)
            case "least":
                panel.min(value)
            case "greatest":
                panel.max(value)
            case _:
                raise TypeError(f"{title}: {name} is no property of a panel")
    return panel


LAST = shared.ReduceDataOptions().calcs(["lastNotNull"]).values(False).fields("")


def stat(title, description, size, queries, unit, steps, fill=False, named=False, text_size=22, overrides=(), **defaults):
    """One number or word, large; with `named`, one for each query, with its name and in this size."""
    queries = queries if isinstance(queries, list) else [queries]
    mode = common.BigValueTextMode.VALUE_AND_NAME if named else common.BigValueTextMode.VALUE
    filled = common.BigValueColorMode.BACKGROUND if fill else common.BigValueColorMode.VALUE
    panel = of_stat.Panel().reduce_options(LAST).color_mode(filled).text_mode(mode).wide_layout(True)
    panel.graph_mode(common.BigValueGraphMode.NONE).justify_mode(common.BigValueJustifyMode.CENTER)
    panel.orientation(common.VizOrientation.AUTO)
    if named:
        panel.text(shared.VizTextDisplayOptions().title_size(14).value_size(text_size))
    elif fill:
        # A word on a colored ground, which must fit on a narrow screen.
        panel.text(shared.VizTextDisplayOptions().value_size(38))
    return common_to_all(panel, title, description, size, queries, unit, overrides, steps=steps, **defaults)


def bars(title, description, size, queries, unit, steps, overrides=(), **defaults):
    panel = bargauge.Panel().reduce_options(LAST).display_mode(common.BarGaugeDisplayMode.BASIC)
    panel.orientation(common.VizOrientation.HORIZONTAL).show_unfilled(True).min_viz_height(16).max_viz_height(28)
    panel.value_mode(common.BarGaugeValueMode.COLOR).name_placement(common.BarGaugeNamePlacement.LEFT)
    panel.sizing(common.BarGaugeSizing.AUTO)
    return common_to_all(panel, title, description, size, queries, unit, overrides, steps=steps, least=0, **defaults)


def graph(
    title, description, size, queries, unit, overrides=(), stacked=False, limits=None, most=None, orders=False, events=False,
    **defaults
):
    """Lines over time. `most`: how high the axis reaches at least, so that a flat 0 looks like one. `orders`: a logarithmic
    axis, for what differs by orders of magnitude. `events`: bars, for what happens now and then; a line of one point has no length.

    No fixed number of decimals: small numbers would have several marks of the same name on the axis.
    """
    style = common.GraphDrawStyle.BARS if events else common.GraphDrawStyle.LINE
    panel = timeseries.Panel().draw_style(style).show_points(common.VisibilityMode.NEVER)
    panel.line_width(1 if stacked else 2).fill_opacity(60 if stacked or events else 0).span_nulls(False)
    panel.line_interpolation(common.LineInterpolation.LINEAR)
    mode = common.StackingMode.NORMAL if stacked else common.StackingMode.NONE
    panel.stacking(shared.StackingConfig().mode(mode).group("A"))
    style = common.GraphThresholdsStyleMode.DASHED if limits else common.GraphThresholdsStyleMode.OFF
    panel.thresholds_style(shared.GraphThresholdsStyleConfig().mode(style))
    if most:
        panel.axis_soft_max(most)
    if orders:
        panel.scale_distribution(shared.ScaleDistributionConfig().type(common.ScaleDistribution.LOG).log(10))
    else:
        panel.min(0)
    sort = common.SortOrder.NONE if stacked else common.SortOrder.DESCENDING
    panel.tooltip(shared.VizTooltipOptions().mode(common.TooltipDisplayMode.MULTI).sort(sort))
    legend = shared.VizLegendOptions().display_mode(common.LegendDisplayMode.LIST).show_legend(True).calcs([])
    panel.legend(legend.placement(common.LegendPlacement.BOTTOM))
    panel.color_scheme(of_dashboard.FieldColor().mode(model.FieldColorModeId.PALETTE_CLASSIC))
    if limits:
        defaults["steps"] = limits
    return common_to_all(panel, title, description, size, queries, unit, overrides, **defaults)


def heatmap(title, description, size, expr, unit):
    """How often a histogram's buckets were hit, over time."""
    buckets = query(expr, "{{le}}").format(PromQueryFormat.HEATMAP)
    colors = of_heatmap.HeatmapColorOptions().mode(heatmap_model.HeatmapColorMode.SCHEME).scheme("Oranges")
    colors.fill("dark-orange").exponent(0.5).steps(64).reverse(False).scale(heatmap_model.HeatmapColorScale.EXPONENTIAL)
    panel = of_heatmap.Panel().calculate(False).color(colors).cell_gap(1).show_legend().show_color_scale(True)
    panel.y_axis(of_heatmap.YAxisConfig().unit(unit).axis_placement(common.AxisPlacement.LEFT))
    panel.mode(common.TooltipDisplayMode.SINGLE).filter_values(Ready(heatmap_model.FilterValueRange(le=1e-9)))
    return common_to_all(panel, title, description, size, [buckets], "short")


def note(title, description, size, markdown):
    """Text, for what no query can show."""
    panel = of_text.Panel().title(title).description(description).span(size[0]).height(size[1])
    return panel.mode("markdown").content(markdown)


def table(
    title, description, size, queries, columns, sort, descending=True, header=True, overrides=(), **defaults
):
    """Instant queries side by side, joined by the labels they share; labels without a column are not shown.

    `columns` are `(field, heading, properties)` in order; a field is a label or the letter of a query.
    """
    field = lambda name: f"Value #{name}" if len(name) == 1 and len(queries) > 1 else name
    order = {field(name): index for index, (name, _, _) in enumerate(columns)}
    named = [override(field(name), displayName=heading, **properties) for name, heading, properties in columns]
    panel = of_table.Panel().show_header(header).cell_height(common.TableCellHeight.SM).align("left")
    panel.cell_options(common.TableAutoCellOptions()).inspect(False)
    panel.footer(Ready(None)).sort_by([shared.TableSortByFieldState().display_name(sort).desc(descending)])
    if columns:
        panel.with_transformation(model.DataTransformerConfig(id_val="merge", options={}))
        hidden = {name: True for name in ("Time", "cluster", "namespace") if name not in order}
        organized = {"excludeByName": hidden, "indexByName": order, "renameByName": {}}
        panel.with_transformation(model.DataTransformerConfig(id_val="organize", options=organized))
    return common_to_all(panel, title, description, size, queries, "short", [*named, *overrides], steps=PLAIN, **defaults)


GAUGE_CELL = {"type": "gauge", "mode": "basic", "valueDisplayMode": "color"}
COLORED_CELL = {"type": "color-text"}
HIDE = {"custom_hideFrom": {"viz": True, "legend": True, "tooltip": True}}


def share_cell(steps, **more):
    return {
        "unit": "percentunit",
        "decimals": 1,
        "min": 0,
        "max": 1,
        "thresholds": steps,
        "custom_cellOptions": COLORED_CELL,
        **more,
    }


def count_cell(width):
    return {"unit": "locale", "decimals": 0, "custom_width": width}


def time_cell(width):
    return {"unit": "s", "decimals": 0, "custom_width": width}
