package org.tokentune.cli;

import java.awt.BasicStroke;
import java.awt.Color;
import java.awt.Font;
import java.io.IOException;
import java.io.OutputStream;
import java.util.Arrays;
import java.util.Iterator;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import org.knowm.xchart.ChartEncoder;
import org.knowm.xchart.XYChart;
import org.knowm.xchart.XYChartBuilder;
import org.knowm.xchart.XYSeries;
import org.knowm.xchart.style.Styler;
import org.knowm.xchart.style.lines.SeriesLines;
import org.knowm.xchart.style.markers.SeriesMarkers;
import org.tokentune.train.StepMemoryReport;

/** Live bytes over the ops of training steps, as a picture. */
final class MemoryChart {

  private static final int WIDTH = 1200;
  private static final int HEIGHT = 700;

  /** Blue and orange, which colour-blind readers tell apart. */
  private static final List<Color> COLOURS = List.of(new Color(0x0072B2), new Color(0xD55E00));

  private final XYChart chart;

  /**
   * @param reports at most two, by their names in the legend
   */
  MemoryChart(String title, Map<String, StepMemoryReport> reports) {
    chart =
        new XYChartBuilder()
            .width(WIDTH)
            .height(HEIGHT)
            .title(title)
            .xAxisTitle("Op of the step, in the order in which they run")
            .yAxisTitle("Live above parameters and optimizer state, MB")
            .build();
    Font font = new Font(Font.SANS_SERIF, Font.PLAIN, 16);
    chart
        .getStyler()
        .setAxisTickLabelsFont(font)
        .setAxisTitleFont(font)
        .setYAxisMin(0.0)
        .setYAxisDecimalPattern("#,##0")
        .setXAxisDecimalPattern("#,##0")
        .setPlotGridLinesColor(new Color(0xE0E0E0))
        .setChartTitleFont(font.deriveFont(Font.BOLD, 18))
        .setChartBackgroundColor(Color.WHITE)
        .setLegendFont(font)
        .setLegendPosition(Styler.LegendPosition.OutsideS)
        .setLegendLayout(Styler.LegendLayout.Vertical);
    Iterator<Color> colours = COLOURS.iterator();
    reports.forEach((name, report) -> add(name, report, colours.next()));
  }

  private void add(String name, StepMemoryReport report, Color colour) {
    List<Long> live = report.step().live();
    // A level for each op, half an op to either side of its number.
    double[] x = new double[2 * live.size()];
    double[] y = new double[2 * live.size()];
    Arrays.setAll(x, i -> Math.ceil(i / 2.0) - 0.5);
    Arrays.setAll(y, i -> live.get(i / 2) / 1e6);
    double peak = Arrays.stream(y).max().orElse(0);
    line(String.format(Locale.ROOT, "%s: %.1f MB at the peak", name, peak), x, y, colour);
    int forward = report.step().forward();
    String label =
        String.format(Locale.ROOT, "%s: the backward pass begins at op %,d", name, forward);
    line(label, new double[] {forward, forward}, new double[] {0, peak}, colour)
        .setLineStyle(SeriesLines.DASH_DASH);
  }

  private XYSeries line(String label, double[] x, double[] y, Color colour) {
    XYSeries series = chart.addSeries(label, x, y);
    series.setMarker(SeriesMarkers.NONE).setLineColor(colour).setLineStyle(new BasicStroke(2));
    return series;
  }

  /** Writes a PNG. */
  void write(OutputStream out) throws IOException {
    ChartEncoder.saveChart(chart, out, "png");
  }
}
