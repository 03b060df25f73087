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
    switch (code) {
      case 'a':
        return time.getDayOfWeek().getDisplayName(TextStyle.SHORT, Locale.ENGLISH);
      case 'A':
        return time.getDayOfWeek().getDisplayName(TextStyle.FULL, Locale.ENGLISH);
      case 'b':
      case 'h':
        return time.getMonth().getDisplayName(TextStyle.FULL, Locale.ENGLISH).substring(0, 3);
      case 'B':
        return time.getMonth().getDisplayName(TextStyle.FULL, Locale.ENGLISH);
      case 'c':
        return format("%a %b %e %H:%M:%S %Y", time);
      case 'C':
        return number(Math.floorDiv(time.getYear(), 100), 2, '0', padding, width);
      case 'd':
        return number(time.getDayOfMonth(), 2, '0', padding, width);
      case 'D':
      case 'x':
        return format("%m/%d/%y", time);
      case 'e':
        return number(time.getDayOfMonth(), 2, ' ', padding, width);
      case 'f':
        return number(time.getNano() / 1000, 6, '0', (char) 0, 0);
      case 'F':
        return format("%Y-%m-%d", time);
      case 'g':
        return number(isoYear(time) % 100, 2, '0', padding, width);
      case 'G':
        return number(isoYear(time), 1, '0', padding, width);
      case 'H':
        return number(time.getHour(), 2, '0', padding, width);
      case 'I':
        return number(hour12, 2, '0', padding, width);
      case 'j':
        return number(time.getDayOfYear(), 3, '0', padding, width);
      case 'k':
        return number(time.getHour(), 2, ' ', padding, width);
      case 'l':
        return number(hour12, 2, ' ', padding, width);
      case 'm':
        return number(time.getMonthValue(), 2, '0', padding, width);
      case 'M':
        return number(time.getMinute(), 2, '0', padding, width);
      case 'n':
        return "\n";
      case 'p':
        return time.getHour() < 12 ? "AM" : "PM";
      case 'P':
        return time.getHour() < 12 ? "am" : "pm";
      case 'r':
        return format("%I:%M:%S %p", time);
      case 'R':
        return format("%H:%M", time);
      case 's':
        return number(time.toEpochSecond(), 1, '0', padding, width);
      case 'S':
        return number(time.getSecond(), 2, '0', padding, width);
      case 't':
        return "\t";
      case 'T':
      case 'X':
        return format("%H:%M:%S", time);
      case 'u':
        return number(time.getDayOfWeek().getValue(), 1, '0', padding, width);
      case 'U':
        return number(week(time, DayOfWeek.SUNDAY), 2, '0', padding, width);
      case 'V':
        return number(time.get(IsoFields.WEEK_OF_WEEK_BASED_YEAR), 2, '0', padding, width);
      case 'w':
        return number(time.getDayOfWeek().getValue() % 7, 1, '0', padding, width);
      case 'W':
        return number(week(time, DayOfWeek.MONDAY), 2, '0', padding, width);
      case 'y':
        return number(Math.floorMod(time.getYear(), 100), 2, '0', padding, width);
      case 'Y':
        return number(time.getYear(), 1, '0', padding, width);
      case 'z':
      case 'Z':
        return ""; // datetime.now() knows no zone
      case '%':
        return "%";
      default:
        return null;
    }
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
