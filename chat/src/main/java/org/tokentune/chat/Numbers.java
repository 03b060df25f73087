package org.tokentune.chat;

import java.math.BigDecimal;
import java.math.BigInteger;
import java.math.MathContext;
import java.math.RoundingMode;

/** Python's numbers: integers of any size, floats printed as shortly as they can be read back. */
final class Numbers {

  /** What {@link #compare} returns for NaN, which is neither less nor equal nor greater. */
  static final int UNORDERED = 2;

  private static final int LONGEST_POWER = 100_000;
  private static final int LONGEST_PRINTED = 4300;

  private Numbers() {}

  static boolean isInteger(Value value) {
    return value instanceof Value.Int || value instanceof Value.Bool;
  }

  static BigInteger integer(Value value) {
    if (value instanceof Value.Int number) {
      return number.value();
    } else if (value instanceof Value.Bool bool) {
      return bool.value() ? BigInteger.ONE : BigInteger.ZERO;
    } else if (value instanceof Value.Undefined undefined) {
      throw undefined.error();
    }
    throw new ChatTemplateException(
        "'" + value.type() + "' object cannot be interpreted as an integer");
  }

  /** An index or a size, which must fit. */
  static int index(Value value) {
    BigInteger number = integer(value);
    return number.bitLength() < 32
        ? number.intValue()
        : number.signum() < 0 ? Integer.MIN_VALUE : Integer.MAX_VALUE;
  }

  static int compare(Value.Numeric left, Value.Numeric right) {
    if (left instanceof Value.Real || right instanceof Value.Real) {
      double a = left.real();
      double b = right.real();
      if (Double.isNaN(a) || Double.isNaN(b)) {
        return UNORDERED;
      }
      if (Double.isInfinite(a) || Double.isInfinite(b) || Math.abs(a) < 1e15) {
        return a < b ? -1 : a > b ? 1 : 0;
      }
      return exact(left).compareTo(exact(right));
    }
    return integer(left).compareTo(integer(right));
  }

  private static BigDecimal exact(Value.Numeric value) {
    return value instanceof Value.Real real
        ? new BigDecimal(real.value())
        : new BigDecimal(integer(value));
  }

  static String print(BigInteger value) {
    if (value.bitLength() > 4 * LONGEST_PRINTED) {
      throw new ChatTemplateException(
          "Exceeds the limit (4300 digits) for integer string conversion");
    }
    return value.toString();
  }

  /** Python's repr of a float. */
  static String print(double value) {
    if (Double.isNaN(value)) {
      return "nan";
    } else if (Double.isInfinite(value)) {
      return value > 0 ? "inf" : "-inf";
    } else if (value == 0) {
      return 1 / value < 0 ? "-0.0" : "0.0";
    }
    BigDecimal shortest = shortest(value);
    String digits = shortest.unscaledValue().abs().toString();
    int exponent = digits.length() - 1 - shortest.scale();
    digits = digits.replaceFirst("0+$", "");
    StringBuilder text = new StringBuilder(value < 0 ? "-" : "");
    if (exponent < -4 || exponent >= 16) {
      text.append(digits.charAt(0));
      if (digits.length() > 1) {
        text.append('.').append(digits, 1, digits.length());
      }
      text.append('e').append(exponent < 0 ? '-' : '+');
      return text.append(Math.abs(exponent) < 10 ? "0" : "").append(Math.abs(exponent)).toString();
    }
    if (exponent < 0) {
      return text.append("0.").append("0".repeat(-exponent - 1)).append(digits).toString();
    }
    if (digits.length() <= exponent + 1) {
      return text.append(digits)
          .append("0".repeat(exponent + 1 - digits.length()))
          .append(".0")
          .toString();
    }
    return text.append(digits, 0, exponent + 1)
        .append('.')
        .append(digits, exponent + 1, digits.length())
        .toString();
  }

  /** The fewest digits that are read back as the same number: Java 17 itself may print more. */
  private static BigDecimal shortest(double value) {
    BigDecimal exact = new BigDecimal(value);
    for (int digits = 1; digits < 17; digits++) {
      BigDecimal rounded = exact.round(new MathContext(digits, RoundingMode.HALF_EVEN));
      if (rounded.doubleValue() == value) {
        return rounded;
      }
    }
    return exact.round(new MathContext(17, RoundingMode.HALF_EVEN));
  }

  /** Rounds half to even, as Python does: on the exact value of the float. */
  static double round(double value, int digits) {
    if (Double.isNaN(value) || Double.isInfinite(value) || digits > 320) {
      return value;
    }
    if (digits < -320) {
      return 0.0 * value;
    }
    double rounded = new BigDecimal(value).setScale(digits, RoundingMode.HALF_EVEN).doubleValue();
    return rounded == 0 && value < 0 ? -0.0 : rounded;
  }

  static Value divide(Value.Numeric left, Value.Numeric right) {
    if (!(left instanceof Value.Real) && !(right instanceof Value.Real)) {
      if (integer(right).signum() == 0) {
        throw new ChatTemplateException("division by zero");
      }
      double quotient =
          new BigDecimal(integer(left))
              .divide(new BigDecimal(integer(right)), new MathContext(60))
              .doubleValue();
      if (Double.isInfinite(quotient)) {
        throw new ChatTemplateException("integer division result too large for a float");
      }
      return new Value.Real(quotient);
    }
    if (right.real() == 0) {
      throw new ChatTemplateException("float division by zero");
    }
    return new Value.Real(left.real() / right.real());
  }

  static Value floorDivide(Value.Numeric left, Value.Numeric right) {
    if (!(left instanceof Value.Real) && !(right instanceof Value.Real)) {
      return new Value.Int(floorDivide(integer(left), integer(right)));
    }
    double divisor = right.real();
    if (divisor == 0) {
      throw new ChatTemplateException("float floor division by zero");
    }
    double quotient = (left.real() - modulo(left.real(), divisor)) / divisor;
    double floor = Math.floor(quotient);
    return new Value.Real(quotient - floor > 0.5 ? floor + 1 : floor);
  }

  private static BigInteger floorDivide(BigInteger left, BigInteger right) {
    if (right.signum() == 0) {
      throw new ChatTemplateException("integer division or modulo by zero");
    }
    BigInteger[] parts = left.divideAndRemainder(right);
    return parts[1].signum() != 0 && parts[1].signum() != right.signum()
        ? parts[0].subtract(BigInteger.ONE)
        : parts[0];
  }

  static Value modulo(Value.Numeric left, Value.Numeric right) {
    if (!(left instanceof Value.Real) && !(right instanceof Value.Real)) {
      BigInteger divisor = integer(right);
      if (divisor.signum() == 0) {
        throw new ChatTemplateException("integer modulo by zero");
      }
      BigInteger quotient = floorDivide(integer(left), divisor);
      return new Value.Int(integer(left).subtract(quotient.multiply(divisor)));
    }
    if (right.real() == 0) {
      throw new ChatTemplateException("float modulo");
    }
    return new Value.Real(modulo(left.real(), right.real()));
  }

  private static double modulo(double left, double right) {
    double rest = left % right;
    if (rest == 0) {
      return Math.copySign(0.0, right);
    }
    return (rest < 0) != (right < 0) ? rest + right : rest;
  }

  static Value power(Budget budget, Value.Numeric left, Value.Numeric right) {
    boolean integers = !(left instanceof Value.Real) && !(right instanceof Value.Real);
    if (integers && integer(right).signum() >= 0) {
      BigInteger base = integer(left);
      BigInteger exponent = integer(right);
      if (base.bitLength() > 1
          && exponent.multiply(BigInteger.valueOf(base.bitLength())).bitLength() > 17) {
        throw new ChatTemplateException(
            "a power of more than " + LONGEST_POWER + " bits is too large for a template");
      }
      int small = base.bitLength() > 1 ? exponent.intValue() : exponent.testBit(0) ? 1 : 2;
      budget.steps(small / 16);
      return new Value.Int(exponent.signum() == 0 ? BigInteger.ONE : base.pow(small));
    }
    if (left.real() == 0 && right.real() < 0) {
      throw new ChatTemplateException("0.0 cannot be raised to a negative power");
    }
    double result = Math.pow(left.real(), right.real());
    if (Double.isInfinite(result)
        && !Double.isInfinite(left.real())
        && !Double.isInfinite(right.real())) {
      throw new ChatTemplateException("the result of ** is too large for a float");
    }
    if (Double.isNaN(result) && !Double.isNaN(left.real()) && !Double.isNaN(right.real())) {
      throw new ChatTemplateException("complex numbers are not supported");
    }
    return new Value.Real(result);
  }

  /** Python's int of a text; null if it is none. */
  static BigInteger parse(String text, int base) {
    String digits = CodePoints.strip(text, null, true, true);
    boolean negative = digits.startsWith("-");
    if (negative || digits.startsWith("+")) {
      digits = digits.substring(1);
    }
    int radix = base;
    if (digits.length() > 1 && digits.charAt(0) == '0') {
      int prefix = "xob".indexOf(Character.toLowerCase(digits.charAt(1)));
      int named = prefix < 0 ? 0 : new int[] {16, 8, 2}[prefix];
      if (named != 0 && (base == 0 || base == named)) {
        radix = named;
        digits = digits.substring(2);
        digits = digits.startsWith("_") ? digits.substring(1) : digits;
      }
    }
    boolean leadingZero = digits.startsWith("0") && base == 0 && radix == 0;
    radix = radix == 0 ? 10 : radix;
    if (digits.isEmpty()
        || digits.startsWith("_")
        || digits.endsWith("_")
        || digits.contains("__")
        || radix < 2
        || radix > 36
        || digits.length() > LONGEST_PRINTED) {
      return null;
    }
    digits = digits.replace("_", "");
    for (int i = 0; i < digits.length(); i++) {
      if (Character.digit(digits.charAt(i), radix) < 0) {
        return null;
      }
    }
    BigInteger number = new BigInteger(digits, radix);
    if (leadingZero && number.signum() != 0) {
      return null;
    }
    return negative ? number.negate() : number;
  }

  /** Python's float of a text; null if it is none. */
  static Double parseReal(String text) {
    String digits = CodePoints.strip(text, null, true, true);
    String word = digits.toLowerCase(java.util.Locale.ROOT);
    boolean negative = word.startsWith("-");
    if (negative || word.startsWith("+")) {
      word = word.substring(1);
    }
    if (word.equals("nan")) {
      return Double.NaN;
    } else if (word.equals("inf") || word.equals("infinity")) {
      return negative ? Double.NEGATIVE_INFINITY : Double.POSITIVE_INFINITY;
    }
    StringBuilder plain = new StringBuilder(negative ? "-" : "");
    for (int i = 0; i < word.length(); i++) {
      char c = word.charAt(i);
      if (c == '_') {
        if (i == 0
            || i == word.length() - 1
            || !isDigit(word.charAt(i - 1))
            || !isDigit(word.charAt(i + 1))) {
          return null;
        }
      } else if (isDigit(c) || c == '.' || c == 'e' || c == '+' || c == '-') {
        plain.append(c);
      } else {
        return null;
      }
    }
    try {
      return Double.valueOf(plain.toString());
    } catch (NumberFormatException e) {
      return null;
    }
  }

  private static boolean isDigit(char c) {
    return c >= '0' && c <= '9';
  }
}
