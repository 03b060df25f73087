package org.tokentune.cli;

import java.awt.Color;
import java.io.IOException;
import java.io.OutputStream;
import java.util.Iterator;
import java.util.List;
import org.knowm.xchart.ChartEncoder;
import org.knowm.xchart.XYChart;
import org.knowm.xchart.XYChartBuilder;
import org.knowm.xchart.XYSeries;
import org.knowm.xchart.style.XYStyler;
import org.knowm.xchart.style.markers.Marker;

/** Scores over memory, a point for each method, with standard errors. */
final class AccuracyChart {

  private static final double MARGIN = 0.15;

  private final XYChart chart;

  /**
   * @param metric name of the score
   */
  AccuracyChart(String title, String metric, List<MethodScores> methods) {
    chart =
        new XYChartBuilder()
            .width(ChartStyle.WIDTH)
            .height(ChartStyle.HEIGHT)
            .title(title)
            .xAxisTitle("Weights, gradients, optimizer state and the largest step, MB")
            .yAxisTitle(metric + " in hundredths, mean and standard error")
            .build();
    double largest = methods.stream().mapToDouble(MethodScores::megabytes).max().orElse(1);
    XYStyler styler = chart.getStyler();
    ChartStyle.apply(styler, 14);
    styler.setDefaultSeriesRenderStyle(XYSeries.XYSeriesRenderStyle.Scatter);
    styler.setXAxisMax(largest * (1 + MARGIN));
    styler.setYAxisDecimalPattern("#,##0.0");
    Iterator<Color> colours = ChartStyle.COLOURS.iterator();
    Iterator<Marker> markers = ChartStyle.MARKERS.iterator();
    for (MethodScores method : methods) {
      Color colour = colours.next();
      chart
          .addSeries(
              method.method(),
              new double[] {method.megabytes()},
              new double[] {100 * method.score()},
              new double[] {Double.isNaN(method.error()) ? 0 : 100 * method.error()})
          .setMarker(markers.next())
          .setMarkerColor(colour)
          .setLineColor(colour);
    }
  }

  /** Writes a PNG. */
  void write(OutputStream out) throws IOException {
    ChartEncoder.saveChart(chart, out, "png");
  }
}
