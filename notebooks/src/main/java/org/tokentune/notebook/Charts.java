package org.tokentune.notebook;

import static org.tokentune.Arguments.required;

import java.awt.BasicStroke;
import java.awt.Color;
import java.awt.Font;
import java.awt.image.BufferedImage;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.stream.IntStream;
import org.knowm.xchart.AnnotationText;
import org.knowm.xchart.BitmapEncoder;
import org.knowm.xchart.CategoryChart;
import org.knowm.xchart.CategoryChartBuilder;
import org.knowm.xchart.HeatMapChart;
import org.knowm.xchart.HeatMapChartBuilder;
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

  private static final Font FONT = new Font(Font.SANS_SERIF, Font.PLAIN, 13);

  /** Lines of so many points show each of them. */
  private static final int FEW = 20;

  /** The y axis ends above the highest bar, so that its number has room. */
  private static final double HEADROOM = 1.1;

  /** Letters that have room under a picture. */
  private static final int LINE = 90;

  private Charts() {}

  /** A line's points: their places, and their heights. */
  public record Line(double[] x, double[] y) {

    /** Points at 1, 2, 3, ... */
    public static Line of(double... y) {
      required(y, "y");

      return new Line(IntStream.rangeClosed(1, y.length).asDoubleStream().toArray(), y);
    }
  }

  /**
   * Lines; the y axis begins at 0.
   *
   * @param lines by their names in the legend; at most four
   */
  public static BufferedImage lines(
      String title, String xTitle, String yTitle, Map<String, Line> lines) {
    required(title, "title");
    required(xTitle, "xTitle");
    required(yTitle, "yTitle");
    required(lines, "lines");

    XYChart chart =
        new XYChartBuilder()
            .width(WIDTH)
            .height(HEIGHT)
            .title(title)
            .xAxisTitle(xTitle)
            .yAxisTitle(yTitle)
            .build();
    style(chart.getStyler());
    chart.getStyler().setYAxisMin(0.0);
    chart.getStyler().setXAxisMin(0.0);
    chart.getStyler().setXAxisDecimalPattern("0.##");
    // XChart places numbers so densely that larger ones touch.
    chart.getStyler().setAxisTickLabelsFont(FONT.deriveFont(11f));
    chart.getStyler().setLegendVisible(lines.size() > 1);
    lines.forEach(
        (name, line) ->
            chart
                .addSeries(name, line.x(), line.y())
                .setMarker(line.x().length <= FEW ? SeriesMarkers.CIRCLE : SeriesMarkers.NONE)
                .setLineStyle(new BasicStroke(2)));
    return BitmapEncoder.getBufferedImage(chart);
  }

  /**
   * Bars made of parts on top of each other, with their whole height above them.
   *
   * @param bars their names
   * @param parts a height for every bar, by the part's name in the legend; at most four
   */
  public static BufferedImage bars(
      String title, String yTitle, List<String> bars, Map<String, double[]> parts) {
    required(title, "title");
    required(yTitle, "yTitle");
    required(bars, "bars");
    required(parts, "parts");

    CategoryChart chart =
        new CategoryChartBuilder()
            .width(WIDTH)
            .height(HEIGHT)
            .title(title)
            .yAxisTitle(yTitle)
            .build();
    style(chart.getStyler());
    chart.getStyler().setYAxisMin(0.0);
    chart.getStyler().setStacked(true).setAvailableSpaceFill(0.7);
    chart.getStyler().setXAxisLabelRotation(rotation(bars)).setAnnotationTextFont(FONT);
    chart.getStyler().setLegendVisible(parts.size() > 1);
    parts.forEach((name, heights) -> chart.addSeries(name, bars, doubles(heights)));
    double[] sums = sums(parts);
    double highest = Arrays.stream(sums).max().orElseThrow();
    chart.getStyler().setYAxisMax(HEADROOM * highest);
    for (int bar = 0; bar < sums.length; bar++) {
      String sum = String.format(Locale.ROOT, "%.1f", sums[bar]);
      chart.addAnnotation(new AnnotationText(sum, bar + 0.5, sums[bar] + highest / 30, false));
    }
    return BitmapEncoder.getBufferedImage(chart);
  }

  private static double[] sums(Map<String, double[]> parts) {
    int bars = parts.values().iterator().next().length;
    return IntStream.range(0, bars)
        .mapToDouble(bar -> parts.values().stream().mapToDouble(heights -> heights[bar]).sum())
        .toArray();
  }

  /** Long names are written at an angle, so that they do not touch. */
  private static int rotation(List<String> names) {
    int longest = names.stream().mapToInt(String::length).max().orElse(0);
    return longest * names.size() > LINE ? 45 : 0;
  }

  /**
   * A confusion matrix: how many rows of each label the model took for each label.
   *
   * @param labels their names
   * @param counts {@code [actual][predicted]}, as {@code Scores.confusion()} gives them
   */
  public static BufferedImage confusion(String title, List<String> labels, long[][] counts) {
    required(title, "title");
    required(labels, "labels");
    required(counts, "counts");

    HeatMapChart chart = heatMap(title, labels, (y, x) -> counts[y][x]);
    chart.setXAxisTitle("predicted");
    chart.setYAxisTitle("actual");
    chart.getStyler().setHeatMapValueDecimalPattern("#,##0");
    return BitmapEncoder.getBufferedImage(chart);
  }

  /**
   * A table of how similar any two of some things are.
   *
   * @param names of the things
   * @param values {@code [one][other]}, from 0 to 1
   */
  public static BufferedImage similarities(String title, List<String> names, double[][] values) {
    required(title, "title");
    required(names, "names");
    required(values, "values");

    HeatMapChart chart = heatMap(title, names, (y, x) -> values[y][x]);
    chart.getStyler().setHeatMapValueDecimalPattern("0.00").setMin(0).setMax(1);
    return BitmapEncoder.getBufferedImage(chart);
  }

  private interface Cell {
    Number at(int y, int x);
  }

  /** The first name's row is on top. */
  private static HeatMapChart heatMap(String title, List<String> names, Cell values) {
    HeatMapChart chart = new HeatMapChartBuilder().width(WIDTH).height(HEIGHT).title(title).build();
    style(chart.getStyler());
    chart.getStyler().setShowValue(true).setValueFont(FONT.deriveFont(Font.BOLD, 16));
    chart.getStyler().setRangeColors(new Color[] {Color.WHITE, new Color(0x56B4E9)});
    chart.getStyler().setLegendVisible(false);
    // XChart leaves out names that are closer than this, on both axes.
    chart.getStyler().setXAxisTickMarkSpacingHint(1);
    List<Number[]> cells = new ArrayList<>();
    List<String> upwards = new ArrayList<>(names);
    Collections.reverse(upwards);
    for (int y = 0; y < names.size(); y++) {
      for (int x = 0; x < names.size(); x++) {
        cells.add(new Number[] {x, y, values.at(names.size() - 1 - y, x)});
      }
    }
    chart.addSeries(title, names, upwards, cells);
    return chart;
  }

  private static List<Double> doubles(double... values) {
    return Arrays.stream(values).boxed().toList();
  }

  private static void style(AxesChartStyler styler) {
    styler.setAxisTickLabelsFont(FONT).setAxisTitleFont(FONT);
    styler.setYAxisDecimalPattern("#,##0.##").setPlotGridLinesColor(new Color(0xE0E0E0));
    styler.setSeriesColors(COLOURS).setChartBackgroundColor(Color.WHITE).setLegendFont(FONT);
    styler.setChartTitleFont(FONT.deriveFont(Font.BOLD, 15));
    styler
        .setLegendPosition(LegendPosition.OutsideS)
        .setLegendLayout(LegendLayout.Horizontal)
        .setLegendBorderColor(Color.WHITE);
  }
}
