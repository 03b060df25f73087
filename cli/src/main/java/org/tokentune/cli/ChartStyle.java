package org.tokentune.cli;

import java.awt.Color;
import java.awt.Font;
import java.util.List;
import org.knowm.xchart.style.Styler;
import org.knowm.xchart.style.XYStyler;
import org.knowm.xchart.style.markers.Marker;
import org.knowm.xchart.style.markers.SeriesMarkers;

/** How charts that compare methods look. */
final class ChartStyle {

  /** Colours that colour-blind readers tell apart; the markers differ, too. */
  static final List<Color> COLOURS =
      List.of(
          new Color(0x0072B2),
          new Color(0xD55E00),
          new Color(0x009E73),
          new Color(0xE69F00),
          new Color(0xCC79A7),
          new Color(0x56B4E9),
          Color.BLACK);

  /** One for each colour. */
  static final List<Marker> MARKERS =
      List.of(
          SeriesMarkers.CIRCLE,
          SeriesMarkers.DIAMOND,
          SeriesMarkers.SQUARE,
          SeriesMarkers.TRIANGLE_UP,
          SeriesMarkers.TRIANGLE_DOWN,
          SeriesMarkers.CROSS,
          SeriesMarkers.PLUS);

  static final int WIDTH = 1000;
  static final int HEIGHT = 700;

  private ChartStyle() {}

  static void apply(XYStyler styler, int markerSize) {
    Font font = new Font(Font.SANS_SERIF, Font.PLAIN, 16);
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
}
