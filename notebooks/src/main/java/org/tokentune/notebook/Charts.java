package org.tokentune.notebook;

import java.awt.BasicStroke;
import java.awt.Color;
import java.awt.Font;
import java.awt.image.BufferedImage;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import org.knowm.xchart.BitmapEncoder;
import org.knowm.xchart.CategoryChart;
import org.knowm.xchart.CategoryChartBuilder;
import org.knowm.xchart.XYChart;
import org.knowm.xchart.XYChartBuilder;
import org.knowm.xchart.style.AxesChartStyler;
import org.knowm.xchart.style.Styler.LegendLayout;
import org.knowm.xchart.style.Styler.LegendPosition;
import org.knowm.xchart.style.markers.SeriesMarkers;

/** Pictures of 800 x 450, which a notebook shows where a cell ends with one. */
public final class Charts {

  private static final int WIDTH = 800;
  private static final int HEIGHT = 450;

  /** Colours that colour-blind readers tell apart (Okabe and Ito). */
  private static final Color[] COLOURS = {
    new Color(0x0072B2), new Color(0xD55E00), new Color(0x009E73), new Color(0xCC79A7)
  };

  private Charts() {}

  /**
   * Lines over one x axis; the y axis begins at 0.
   *
   * @param x the points' places
   * @param lines the points' heights, by the line's name in the legend; at most four
   */
  public static BufferedImage lines(
      String title, String xTitle, String yTitle, double[] x, Map<String, double[]> lines) {
    XYChart chart =
        new XYChartBuilder()
            .width(WIDTH)
            .height(HEIGHT)
            .title(title)
            .xAxisTitle(xTitle)
            .yAxisTitle(yTitle)
            .build();
    kernelMode(chart.getStyler());
    chart.getStyler().setXAxisMin(0.0).setXAxisDecimalPattern("#,##0.##");
    chart.getStyler().setLegendVisible(lines.size() > 1);
    boolean few = x.length <= 20;
    lines.forEach(
        (name, y) ->
            chart
                .addSeries(name, x, y)
                .setMarker(few ? SeriesMarkers.CIRCLE : SeriesMarkers.NONE)
                .setLineStyle(new BasicStroke(2)));
    return BitmapEncoder.getBufferedImage(chart);
  }

  /**
   * Bars made of parts on top of each other.
   *
   * @param bars their names
   * @param parts a height for every bar, by the part's name in the legend; at most four
   */
  public static BufferedImage bars(
      String title, String yTitle, List<String> bars, Map<String, double[]> parts) {
    CategoryChart chart =
        new CategoryChartBuilder()
            .width(WIDTH)
            .height(HEIGHT)
            .title(title)
            .yAxisTitle(yTitle)
            .build();
    kernelMode(chart.getStyler());
    chart.getStyler().setStacked(true).setAvailableSpaceFill(0.7).setXAxisLabelRotation(25);
    chart.getStyler().setLegendVisible(parts.size() > 1);
    parts.forEach((name, heights) -> chart.addSeries(name, bars, doubles(heights)));
    return BitmapEncoder.getBufferedImage(chart);
  }

  private static List<Double> doubles(double... values) {
    return Arrays.stream(values).boxed().toList();
  }

  private static void kernelMode(AxesChartStyler styler) {
    Font font = new Font(Font.SANS_SERIF, Font.PLAIN, 13);
    styler.setAxisTickLabelsFont(font).setAxisTitleFont(font).setYAxisMin(0.0);
    styler.setYAxisDecimalPattern("#,##0.##").setPlotGridLinesColor(new Color(0xE0E0E0));
    styler.setSeriesColors(COLOURS).setChartBackgroundColor(Color.WHITE).setLegendFont(font);
    styler.setChartTitleFont(font.deriveFont(Font.BOLD, 15));
    styler
        .setLegendPosition(LegendPosition.OutsideS)
        .setLegendLayout(LegendLayout.Horizontal)
        .setLegendBorderColor(Color.WHITE);
  }
}
