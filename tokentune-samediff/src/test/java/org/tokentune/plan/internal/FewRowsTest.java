package org.tokentune.plan.internal;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.util.List;
import java.util.Map;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.nd4j.autodiff.samediff.SDVariable;
import org.nd4j.autodiff.samediff.SameDiff;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;
import org.tokentune.ops.BlockWeight;
import org.tokentune.ops.KernelMode;
import org.tokentune.ops.Nf4Weight;
import org.tokentune.ops.QuantizedWeight;
import org.tokentune.quantization.BlockFormat;
import org.tokentune.quantization.HalfPrecision;

/** Products of few rows with weights as they lie in memory. */
class FewRowsTest {

  /** Relative to the lengths of the two vectors. */
  private static final double TOLERANCE = 2e-6;

  private final Random random = new Random(5);

  private QuantizedWeight weight(String format, int rows, int width) throws IOException {
    return switch (format) {
      case "NF4" -> Nf4Weight.of(normal(rows, width));
      case "BF16" -> BlockWeight.half(BlockFormat.BF16, normal(rows, width));
      case "Q8_0" -> BlockWeight.int8(normal(rows, width));
      default -> ofRandomBytes(BlockFormat.valueOf(format), rows, width);
    };
  }

  /** Every code, and scales from 0.001 to 0.011. */
  private BlockWeight ofRandomBytes(BlockFormat format, int rows, int width) throws IOException {
    byte[] bytes = new byte[Math.toIntExact(rows * format.rowBytes(width))];
    random.nextBytes(bytes);
    List<Integer> scales = format == BlockFormat.Q4_K ? List.of(0, 2) : List.of(208);
    for (int block = 0; block < bytes.length; block += format.bytes) {
      for (int at : scales) {
        short half = HalfPrecision.floatToHalf(0.001f + random.nextFloat() / 100);
        bytes[block + at] = (byte) half;
        bytes[block + at + 1] = (byte) (half >> 8);
      }
    }
    return BlockWeight.of(format, new long[] {rows, width}, memory -> memory.put(bytes));
  }

  private INDArray normal(int rows, int width) {
    float[][] values = new float[rows][width];
    for (float[] row : values) {
      for (int i = 0; i < width; i++) {
        row[i] = (float) random.nextGaussian();
      }
    }
    return Nd4j.createFromArray(values);
  }

  /** {@code x W^T} on a plan; also its bytes. */
  private record Product(INDArray values, long bytes) {

    static Product of(QuantizedWeight weight, INDArray x, KernelMode mode) {
      SameDiff sd = SameDiff.create();
      SDVariable rows = sd.placeHolder("x", DataType.FLOAT, -1, x.size(1));
      sd.mmul("y", rows, weight.dequantized(sd, "weight", mode), false, true, false);
      try (PlanEngine engine = new PlanEngine(sd, PlanOptions.forward(List.of("y")))) {
        INDArray values = engine.run(Map.of("x", x)).outputs().get("y").dup();
        return new Product(values, engine.arenaBytes());
      }
    }
  }

  /** The largest error relative to |x| |w|, against double precision. */
  private static double error(INDArray x, INDArray weight, INDArray product) {
    double worst = 0;
    for (int i = 0; i < x.size(0); i++) {
      for (int j = 0; j < weight.size(0); j++) {
        double sum = 0;
        double ofX = 0;
        double ofWeight = 0;
        for (int k = 0; k < x.size(1); k++) {
          double a = x.getDouble(i, k);
          double b = weight.getDouble(j, k);
          sum += a * b;
          ofX += a * a;
          ofWeight += b * b;
        }
        double length = Math.sqrt(ofX * ofWeight);
        double gap = Math.abs(sum - product.getDouble(i, j));
        worst = Math.max(worst, length == 0 ? gap : gap / length);
      }
    }
    return worst;
  }

  @ParameterizedTest
  @CsvSource({
    "Q8_0, 1, 32",
    "Q8_0, 5, 96",
    "Q8_0, 9, 576",
    "Q8_0, 131, 768",
    "Q8_0, 3, 4096",
    "Q4_K, 1, 256",
    "Q4_K, 131, 768",
    "Q4_K, 3, 4096",
    "Q6_K, 1, 256",
    "Q6_K, 5, 512",
    "Q6_K, 131, 768",
    "BF16, 1, 2",
    "BF16, 5, 37",
    "BF16, 131, 770",
    "BF16, 3, 5000",
    "NF4, 1, 64",
    "NF4, 5, 100",
    "NF4, 131, 192",
    "NF4, 300, 64"
  })
  void equalsDoublePrecision(String format, int rows, int width) throws IOException {
    QuantizedWeight weight = weight(format, rows, width);
    INDArray floats = weight.values();
    double worst = 0;
    double ofNative = 0;
    for (int count : new int[] {1, 2, 3, 4, 5}) {
      INDArray x = normal(count, width);
      Product fused = Product.of(weight, x, KernelMode.FUSED);
      worst = Math.max(worst, error(x, floats, fused.values()));
      INDArray values = Product.of(weight, x, KernelMode.NATIVE).values();
      ofNative = Math.max(ofNative, error(x, floats, values));
    }
    System.out.printf(
        "%s [%d, %d]: error %.1e, native form %.1e%n", format, rows, width, worst, ofNative);
    assertTrue(worst < TOLERANCE);
    assertTrue(ofNative < TOLERANCE);
  }

  /** Four rows need no floats of the weight, five do. */
  @ParameterizedTest
  @CsvSource({"Q8_0", "Q4_K", "Q6_K", "BF16", "NF4"})
  void makesNoFloatsOfTheWeight(String format) throws IOException {
    QuantizedWeight weight = weight(format, 96, 768);
    long floats = 96 * 768 * Float.BYTES;
    long few = Product.of(weight, normal(4, 768), KernelMode.FUSED).bytes();
    long many = Product.of(weight, normal(5, 768), KernelMode.FUSED).bytes();
    System.out.printf("%s: %d bytes for 4 rows, %d for 5%n", format, few, many);
    assertTrue(few < floats / 4);
    assertTrue(many > floats);
  }

  /** Numbers of any size, in one row: an error is relative to the largest of a group. */
  @ParameterizedTest
  @CsvSource({"Q8_0", "Q4_K", "Q6_K", "BF16", "NF4"})
  void takesNumbersOfAnySize(String format) throws IOException {
    QuantizedWeight weight = weight(format, 9, 768);
    INDArray floats = weight.values();
    INDArray x = normal(4, 768);
    x.getRow(0).assign(0);
    x.getRow(1).muli(1e30);
    x.getRow(2).muli(1e-30);
    x.getRow(3).addi(3);
    x.putScalar(3, 100, 1e4); // as some hidden states of language models
    INDArray y = Product.of(weight, x, KernelMode.FUSED).values();
    double worst = error(x, floats, y);
    System.out.printf("%s: error %.1e%n", format, worst);
    assertTrue(worst < TOLERANCE);
    assertEquals(0, y.getRow(0).amaxNumber().doubleValue());
  }

  @ParameterizedTest
  @CsvSource({"Q8_0", "Q4_K", "Q6_K", "BF16", "NF4"})
  void passesOnWhatIsNotFinite(String format) throws IOException {
    QuantizedWeight weight = weight(format, 9, 768);
    for (float bad : new float[] {Float.NaN, Float.POSITIVE_INFINITY}) {
      INDArray x = normal(2, 768);
      x.putScalar(1, 300, bad);
      INDArray y = Product.of(weight, x, KernelMode.FUSED).values();
      for (int j = 0; j < 9; j++) {
        assertTrue(Float.isFinite(y.getFloat(0, j)));
        assertFalse(Float.isFinite(y.getFloat(1, j)), format + " hides " + bad);
      }
    }
    System.out.println(format + ": NaN and infinity stay visible, in their own row");
  }

  /** Parts of a weight in floats, over the threads. */
  @Test
  void floatsInParts() {
    INDArray weight = normal(401, 512);
    for (int count : new int[] {1, 3, 8, 9}) {
      INDArray x = normal(count, 512);
      SameDiff sd = SameDiff.create();
      SDVariable rows = sd.placeHolder("x", DataType.FLOAT, -1, 512);
      sd.mmul("y", rows, sd.constant("weight", weight), false, true, false);
      try (PlanEngine engine = new PlanEngine(sd, PlanOptions.forward(List.of("y")))) {
        double worst = error(x, weight, engine.run(Map.of("x", x)).outputs().get("y"));
        System.out.printf("%d rows: error %.1e%n", count, worst);
        assertTrue(worst < TOLERANCE);
      }
    }
  }
}
