package org.tokentune.cli;

import java.awt.Color;
import java.io.IOException;
import java.io.OutputStream;
import java.util.Iterator;
import java.util.Map;
import org.knowm.xchart.ChartEncoder;
import org.knowm.xchart.XYChart;
import org.knowm.xchart.XYChartBuilder;
import org.knowm.xchart.style.XYStyler;
import org.knowm.xchart.style.markers.Marker;

/** Lines over a number, with a point at each. */
final class LinesChart {

  private final XYChart chart;

  LinesChart(String title, String xTitle, String yTitle, double[] x, Map<String, double[]> lines) {
    chart =
        new XYChartBuilder()
            .width(ChartStyle.WIDTH)
            .height(ChartStyle.HEIGHT)
            .title(title)
            .xAxisTitle(xTitle)
            .yAxisTitle(yTitle)
            .build();
    XYStyler styler = chart.getStyler();
    ChartStyle.apply(styler, 10);
    styler.setYAxisMin(0.0);
    styler.setYAxisDecimalPattern("#,##0");
    Iterator<Color> colours = ChartStyle.COLOURS.iterator();
    Iterator<Marker> markers = ChartStyle.MARKERS.iterator();
    lines.forEach(
        (name, y) -> {
          Color colour = colours.next();
          chart
              .addSeries(name, x, y)
              .setMarker(markers.next())
              .setMarkerColor(colour)
              .setLineColor(colour);
        });
  }

  /** Writes a PNG. */
  void write(OutputStream out) throws IOException {
    ChartEncoder.saveChart(chart, out, "png");
  }
}
