package org.tokentune.chat;

import java.time.DayOfWeek;
import java.time.ZonedDateTime;
import java.time.format.TextStyle;
import java.time.temporal.ChronoUnit;
import java.time.temporal.IsoFields;
import java.util.Locale;

/** Times as Python's {@code strftime} prints them in the C locale, with glibc's flags. */
final class Strftime {

  private static final int WIDEST = 1000;

  private Strftime() {}

  static String format(String format, ZonedDateTime time) {
    StringBuilder to = new StringBuilder();
    for (int i = 0; i < format.length(); i++) {
      char c = format.charAt(i);
      if (c != '%') {
        to.append(c);
        continue;
      }
      int start = i++;
      char padding = 0;
      boolean upper = false;
      boolean swap = false;
      while (i < format.length() && "-_0^#".indexOf(format.charAt(i)) >= 0) {
        char flag = format.charAt(i++);
        upper |= flag == '^';
        swap |= flag == '#';
        padding = flag == '^' || flag == '#' ? padding : flag;
      }
      int width = 0;
      while (i < format.length() && format.charAt(i) >= '0' && format.charAt(i) <= '9') {
        width = Math.min(WIDEST, width * 10 + format.charAt(i++) - '0');
      }
      while (i < format.length() && "EO".indexOf(format.charAt(i)) >= 0) {
        i++;
      }
      String text = i < format.length() ? code(format.charAt(i), time, padding, width) : null;
      if (text == null) {
        to.append(format, start, Math.min(format.length(), i + 1));
        continue;
      }
      char code = format.charAt(i);
      if (upper || (swap && "aAbBh".indexOf(code) >= 0)) {
        text = text.toUpperCase(Locale.ROOT);
      } else if (swap && (code == 'p' || code == 'Z')) {
        text = text.toLowerCase(Locale.ROOT);
      }
      char fill = padding == '0' ? '0' : ' ';
      to.append(String.valueOf(fill).repeat(Math.max(0, width - text.length()))).append(text);
    }
    return to.toString();
  }

  private static String code(char code, ZonedDateTime time, char padding, int width) {
    int hour12 = (time.getHour() + 11) % 12 + 1;
    return switch (code) {
      case 'a' -> time.getDayOfWeek().getDisplayName(TextStyle.SHORT, Locale.ENGLISH);
      case 'A' -> time.getDayOfWeek().getDisplayName(TextStyle.FULL, Locale.ENGLISH);
      case 'b', 'h' ->
          time.getMonth().getDisplayName(TextStyle.FULL, Locale.ENGLISH).substring(0, 3);
      case 'B' -> time.getMonth().getDisplayName(TextStyle.FULL, Locale.ENGLISH);
      case 'c' -> format("%a %b %e %H:%M:%S %Y", time);
      case 'C' -> number(Math.floorDiv(time.getYear(), 100), 2, '0', padding, width);
      case 'd' -> number(time.getDayOfMonth(), 2, '0', padding, width);
      case 'D', 'x' -> format("%m/%d/%y", time);
      case 'e' -> number(time.getDayOfMonth(), 2, ' ', padding, width);
      case 'f' -> number(time.getNano() / 1000, 6, '0', (char) 0, 0);
      case 'F' -> format("%Y-%m-%d", time);
      case 'g' -> number(isoYear(time) % 100, 2, '0', padding, width);
      case 'G' -> number(isoYear(time), 1, '0', padding, width);
      case 'H' -> number(time.getHour(), 2, '0', padding, width);
      case 'I' -> number(hour12, 2, '0', padding, width);
      case 'j' -> number(time.getDayOfYear(), 3, '0', padding, width);
      case 'k' -> number(time.getHour(), 2, ' ', padding, width);
      case 'l' -> number(hour12, 2, ' ', padding, width);
      case 'm' -> number(time.getMonthValue(), 2, '0', padding, width);
      case 'M' -> number(time.getMinute(), 2, '0', padding, width);
      case 'n' -> "\n";
      case 'p' -> time.getHour() < 12 ? "AM" : "PM";
      case 'P' -> time.getHour() < 12 ? "am" : "pm";
      case 'r' -> format("%I:%M:%S %p", time);
      case 'R' -> format("%H:%M", time);
      case 's' -> number(time.toEpochSecond(), 1, '0', padding, width);
      case 'S' -> number(time.getSecond(), 2, '0', padding, width);
      case 't' -> "\t";
      case 'T', 'X' -> format("%H:%M:%S", time);
      case 'u' -> number(time.getDayOfWeek().getValue(), 1, '0', padding, width);
      case 'U' -> number(week(time, DayOfWeek.SUNDAY), 2, '0', padding, width);
      case 'V' -> number(time.get(IsoFields.WEEK_OF_WEEK_BASED_YEAR), 2, '0', padding, width);
      case 'w' -> number(time.getDayOfWeek().getValue() % 7, 1, '0', padding, width);
      case 'W' -> number(week(time, DayOfWeek.MONDAY), 2, '0', padding, width);
      case 'y' -> number(Math.floorMod(time.getYear(), 100), 2, '0', padding, width);
      case 'Y' -> number(time.getYear(), 1, '0', padding, width);
      case 'z', 'Z' -> "";
      // datetime.now() knows no zone
      case '%' -> "%";
      default -> null;
    };
  }

  private static int isoYear(ZonedDateTime time) {
    return time.get(IsoFields.WEEK_BASED_YEAR);
  }

  /** Full weeks of the year that began on a day of the week. */
  private static int week(ZonedDateTime time, DayOfWeek first) {
    ZonedDateTime year = time.truncatedTo(ChronoUnit.DAYS).withDayOfYear(1);
    int skipped = Math.floorMod(first.getValue() - year.getDayOfWeek().getValue(), 7);
    return Math.floorDiv(time.getDayOfYear() - 1 - skipped, 7) + 1;
  }

  private static String number(long number, int digits, char fill, char padding, int width) {
    String text = String.valueOf(number);
    if (padding == '-') {
      return text;
    }
    char with = padding == '_' ? ' ' : padding == '0' ? '0' : fill;
    int size = Math.max(digits, width);
    return String.valueOf(with).repeat(Math.max(0, size - text.length())) + text;
  }
}
