package org.tokentune.cli;

import java.awt.Color;
import java.awt.Font;
import java.io.IOException;
import java.io.OutputStream;
import java.util.Iterator;
import java.util.List;
import java.util.Map;
import org.knowm.xchart.ChartEncoder;
import org.knowm.xchart.XYChart;
import org.knowm.xchart.XYChartBuilder;
import org.knowm.xchart.XYSeries;
import org.knowm.xchart.style.Styler;
import org.knowm.xchart.style.XYStyler;
import org.knowm.xchart.style.markers.Marker;
import org.knowm.xchart.style.markers.SeriesMarkers;

/** Methods of fine-tuning in a picture, each in a colour and with a marker of its own. */
final class ComparisonChart {

  private static final int WIDTH = 1000;
  private static final int HEIGHT = 700;
  private static final double MARGIN = 0.15;

  /** Colours that colour-blind readers tell apart; the markers differ, too. */
  private static final List<Color> COLOURS =
      List.of(
          new Color(0x0072B2),
          new Color(0xD55E00),
          new Color(0x009E73),
          new Color(0xE69F00),
          new Color(0xCC79A7),
          new Color(0x56B4E9),
          Color.BLACK);

  private static final List<Marker> MARKERS =
      List.of(
          SeriesMarkers.CIRCLE,
          SeriesMarkers.DIAMOND,
          SeriesMarkers.SQUARE,
          SeriesMarkers.TRIANGLE_UP,
          SeriesMarkers.TRIANGLE_DOWN,
          SeriesMarkers.CROSS,
          SeriesMarkers.PLUS);

  private final XYChart chart;
  private final Iterator<Color> colours = COLOURS.iterator();
  private final Iterator<Marker> markers = MARKERS.iterator();

  private ComparisonChart(String title, String xTitle, String yTitle, int markerSize) {
    chart =
        new XYChartBuilder()
            .width(WIDTH)
            .height(HEIGHT)
            .title(title)
            .xAxisTitle(xTitle)
            .yAxisTitle(yTitle)
            .build();
    Font font = new Font(Font.SANS_SERIF, Font.PLAIN, 16);
    XYStyler styler = chart.getStyler();
    styler.setMarkerSize(markerSize);
    styler.setXAxisMin(0.0);
    styler.setXAxisDecimalPattern("#,##0");
    styler.setAxisTickLabelsFont(font);
    styler.setAxisTitleFont(font);
    styler.setPlotGridLinesColor(new Color(0xE0E0E0));
    styler.setChartTitleFont(font.deriveFont(Font.BOLD, 18));
    styler.setChartBackgroundColor(Color.WHITE);
    styler.setLegendFont(font);
    styler.setLegendPosition(Styler.LegendPosition.OutsideS);
    styler.setLegendLayout(Styler.LegendLayout.Horizontal);
  }

  /**
   * Scores over memory, a point for each method, with standard errors.
   *
   * @param metric name of the score
   */
  static ComparisonChart scores(String title, String metric, List<MethodScores> methods) {
    ComparisonChart scores =
        new ComparisonChart(
            title,
            "Weights, gradients, optimizer state and the largest step, MB",
            metric + " in hundredths, mean and standard error",
            14);
    double largest = methods.stream().mapToDouble(MethodScores::megabytes).max().orElse(1);
    XYStyler styler = scores.chart.getStyler();
    styler.setDefaultSeriesRenderStyle(XYSeries.XYSeriesRenderStyle.Scatter);
    styler.setXAxisMax(largest * (1 + MARGIN));
    styler.setYAxisDecimalPattern("#,##0.0");
    for (MethodScores method : methods) {
      scores.colour(
          scores.chart.addSeries(
              method.method(),
              new double[] {method.megabytes()},
              new double[] {100 * method.score()},
              new double[] {Double.isNaN(method.error()) ? 0 : 100 * method.error()}));
    }
    return scores;
  }

  /**
   * Lines over a number, with a point at each.
   *
   * @param lines by the names of methods
   */
  static ComparisonChart lines(
      String title, String xTitle, String yTitle, double[] x, Map<String, double[]> lines) {
    ComparisonChart chart = new ComparisonChart(title, xTitle, yTitle, 10);
    chart.chart.getStyler().setYAxisMin(0.0).setYAxisDecimalPattern("#,##0");
    lines.forEach((name, y) -> chart.colour(chart.chart.addSeries(name, x, y)));
    return chart;
  }

  private void colour(XYSeries series) {
    Color colour = colours.next();
    series.setMarker(markers.next()).setMarkerColor(colour).setLineColor(colour);
  }

  /** Writes a PNG. */
  void write(OutputStream out) throws IOException {
    ChartEncoder.saveChart(chart, out, "png");
  }
}
