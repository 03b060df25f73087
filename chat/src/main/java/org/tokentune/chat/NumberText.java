package org.tokentune.chat;

import java.math.BigDecimal;
import java.math.BigInteger;
import java.math.MathContext;
import java.math.RoundingMode;
import java.util.Locale;

/** Digits of floats in the styles of C's printf, rounded from the exact value. */
final class NumberText {

  private NumberText() {}

  /**
   * The number without its sign.
   *
   * @param style one of e, f, g and their capitals
   * @param alternate whether a point and zeros at the end stay
   */
  static String real(double value, char style, int precision, boolean alternate) {
    String text;
    if (Double.isNaN(value)) {
      text = "nan";
    } else if (Double.isInfinite(value)) {
      text = "inf";
    } else {
      BigDecimal exact = new BigDecimal(Math.abs(value));
      text =
          switch (Character.toLowerCase(style)) {
            case 'f' -> fixed(exact, precision, alternate);
            case 'e' -> scientific(exact, precision, alternate);
            default -> general(exact, Math.max(1, precision), alternate);
          };
    }
    return Character.isUpperCase(style) ? text.toUpperCase(Locale.ROOT) : text;
  }

  private static String fixed(BigDecimal value, int precision, boolean alternate) {
    String text = value.setScale(precision, RoundingMode.HALF_EVEN).toPlainString();
    return precision == 0 && alternate ? text + "." : text;
  }

  private static String scientific(BigDecimal value, int precision, boolean alternate) {
    BigDecimal rounded = value.round(new MathContext(precision + 1, RoundingMode.HALF_EVEN));
    String digits = rounded.unscaledValue().toString();
    int exponent = rounded.signum() == 0 ? 0 : digits.length() - 1 - rounded.scale();
    digits =
        digits.length() > precision + 1
            ? digits.substring(0, precision + 1)
            : digits + "0".repeat(precision + 1 - digits.length());
    String mantissa =
        precision == 0
            ? digits + (alternate ? "." : "")
            : digits.charAt(0) + "." + digits.substring(1);
    return mantissa + exponent(exponent);
  }

  private static String exponent(int exponent) {
    int size = Math.abs(exponent);
    return (exponent < 0 ? "e-" : "e+") + (size < 10 ? "0" : "") + size;
  }

  private static String general(BigDecimal value, int precision, boolean alternate) {
    String text = scientific(value, precision - 1, true);
    int exponent = Integer.parseInt(text.substring(text.indexOf('e') + 1).replace("+", ""));
    if (exponent < -4 || exponent >= precision) {
      String mantissa = text.substring(0, text.indexOf('e'));
      return (alternate ? mantissa : trimmed(mantissa)) + exponent(exponent);
    }
    String plain = fixed(value, precision - 1 - exponent, true);
    return alternate ? plain : trimmed(plain);
  }

  private static String trimmed(String text) {
    if (text.indexOf('.') < 0) {
      return text;
    }
    int end = text.length();
    while (text.charAt(end - 1) == '0') {
      end--;
    }
    return text.substring(0, text.charAt(end - 1) == '.' ? end - 1 : end);
  }

  /**
   * The digits of an integer without its sign.
   *
   * @param style one of d, x, X, o and b
   */
  static String integer(BigInteger value, char style) {
    BigInteger size = value.abs();
    return switch (style) {
      case 'x' -> size.toString(16);
      case 'X' -> size.toString(16).toUpperCase(Locale.ROOT);
      case 'o' -> size.toString(8);
      case 'b' -> size.toString(2);
      default -> Numbers.print(size);
    };
  }
}
