package org.tokentune.cli;

import java.awt.Color;
import java.awt.Font;
import java.io.IOException;
import java.io.OutputStream;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.ToLongFunction;
import org.knowm.xchart.CategoryChart;
import org.knowm.xchart.CategoryChartBuilder;
import org.knowm.xchart.ChartEncoder;
import org.knowm.xchart.style.CategoryStyler;
import org.knowm.xchart.style.Styler;
import org.tokentune.bench.MethodMemory;

/** The memory of methods, as stacked bars. */
final class MethodChart {

  private static final int WIDTH = 1200;
  private static final int HEIGHT = 800;

  /** Colours that colour-blind readers tell apart. */
  private static final List<Color> COLOURS =
      List.of(new Color(0x0072B2), new Color(0xD55E00), new Color(0x009E73), new Color(0xE69F00));

  private final CategoryChart chart;

  MethodChart(String title, List<MethodMemory> rows) {
    chart =
        new CategoryChartBuilder()
            .width(WIDTH)
            .height(HEIGHT)
            .title(title)
            .xAxisTitle("")
            .yAxisTitle("Memory, GB")
            .build();
    Font font = new Font(Font.SANS_SERIF, Font.PLAIN, 16);
    CategoryStyler styler = chart.getStyler();
    styler.setStacked(true).setSeriesColors(COLOURS.toArray(new Color[0]));
    styler.setXAxisLabelRotation(90).setAxisTickLabelsFont(font).setAxisTitleFont(font);
    styler.setPlotGridLinesColor(new Color(0xE0E0E0)).setChartBackgroundColor(Color.WHITE);
    styler.setChartTitleFont(font.deriveFont(Font.BOLD, 18)).setLegendFont(font);
    styler.setLegendPosition(Styler.LegendPosition.InsideNE);
    List<String> names = rows.stream().map(row -> row.method().toString()).toList();
    Map<String, ToLongFunction<MethodMemory>> parts = new LinkedHashMap<>();
    parts.put("weights", MethodMemory::weights);
    parts.put("gradients", MethodMemory::gradients);
    parts.put("optimizer state", MethodMemory::optimizerState);
    parts.put("activations and workspace", MethodMemory::step);
    parts.forEach(
        (name, bytes) ->
            chart.addSeries(
                name, names, rows.stream().map(row -> bytes.applyAsLong(row) / 1e9).toList()));
  }

  /** Writes a PNG. */
  void write(OutputStream out) throws IOException {
    ChartEncoder.saveChart(chart, out, "png");
  }
}
