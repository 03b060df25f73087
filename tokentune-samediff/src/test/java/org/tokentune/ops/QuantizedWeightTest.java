package org.tokentune.ops;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.tokentune.testing.SameBits.assertSameBits;

import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;
import org.nd4j.autodiff.samediff.SDVariable;
import org.nd4j.autodiff.samediff.SameDiff;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;
import org.tokentune.formats.ModelFiles;
import org.tokentune.formats.SafeTensors;
import org.tokentune.plan.internal.PlanEngine;
import org.tokentune.plan.internal.PlanOptions;
import org.tokentune.quantization.BlockFormat;

/** Quantised weights: their floats, and layers on them, in both kernel modes. */
class QuantizedWeightTest {

  private static final Path GOLDEN = Path.of("src/test/resources/golden");

  private static INDArray floats(QuantizedWeight weight, KernelMode kernelMode) {
    SameDiff sd = SameDiff.create();
    SDVariable scale = sd.var("scale", Nd4j.ones(DataType.FLOAT, 1));
    SDVariable product = weight.dequantized(sd, "weight", kernelMode).mul(scale);
    try (PlanEngine engine =
        new PlanEngine(sd, PlanOptions.gradients(List.of(product.name()), List.of()))) {
      return engine.run(Map.of()).outputs().get(product.name()).dup();
    }
  }

  private static double error(INDArray expected, INDArray actual) {
    assertArrayEquals(expected.shape(), actual.shape());
    return expected.sub(actual).amaxNumber().doubleValue() / expected.amaxNumber().doubleValue();
  }

  @ParameterizedTest
  @EnumSource
  void nf4EqualsBitsandbytes(KernelMode kernelMode) {
    try (SafeTensors golden = SafeTensors.open(GOLDEN.resolve("nf4/nf4.safetensors"))) {
      for (String[] names :
          List.of(
              new String[] {"weight", "double.dequantized"},
              new String[] {"large.weight", "large.dequantized"})) {
        Nf4Weight weight = Nf4Weight.of(golden.read(names[0]));
        double error = error(golden.read(names[1]), floats(weight, kernelMode));
        System.out.printf("%s of %s: largest error %.1e%n", names[1], kernelMode, error);
        assertTrue(error < 1e-6);
      }
    }
  }

  /** Forward and backward: only x and x A^T of the layer are stored. */
  @ParameterizedTest
  @EnumSource
  void layerEqualsQlora(KernelMode kernelMode) {
    try (SafeTensors golden = SafeTensors.open(GOLDEN.resolve("nf4/nf4.safetensors"))) {
      Nf4Weight weight = Nf4Weight.of(golden.read("weight"));
      SameDiff sd = SameDiff.create();
      SDVariable x = sd.var("x", golden.read("x"));
      SDVariable a = sd.var("lora_A", golden.read("lora_A"));
      SDVariable b = sd.var("lora_B", golden.read("lora_B"));
      SDVariable y =
          sd.mmul("y0", x, weight.dequantized(sd, "weight", kernelMode), false, true, false)
              .add("y", sd.mmul(sd.mmul(x, a, false, true, false), b, false, true, false).mul(2));
      sd.setLossVariables(y.mul(sd.constant(golden.read("grad.y"))).sum().rename("loss"));
      List<String> trained = List.of("x", "lora_A", "lora_B");
      try (PlanEngine engine =
          new PlanEngine(sd, PlanOptions.gradients(List.of("y", "loss"), trained))) {
        PlanEngine.Result result = engine.run(Map.of());
        double worst = error(golden.read("y"), result.outputs().get("y"));
        for (String name : trained) {
          INDArray gradient = result.gradients().get(name);
          worst = Math.max(worst, error(golden.read("grad." + name), gradient));
        }
        System.out.printf("a layer on NF4, %s: largest error %.1e%n", kernelMode, worst);
        assertTrue(worst < 1e-6);
      }
    }
  }

  /** Rows that end within a block, and blocks that end within a row. */
  @ParameterizedTest
  @CsvSource({"1, 1", "3, 5", "7, 64", "5, 100", "130, 129", "300, 64"})
  void nf4OfAnyShape(int rows, int width) {
    Nd4j.getRandom().setSeed(rows);
    INDArray values = Nd4j.randn(DataType.FLOAT, rows, width);
    Nf4Weight weight = Nf4Weight.of(values);
    INDArray fused = floats(weight, KernelMode.FUSED);
    assertTrue(error(fused, floats(weight, KernelMode.NATIVE)) < 1e-6);
    assertTrue(error(fused, weight.values()) < 1e-6);
    double off = error(values, fused);
    System.out.printf("NF4 of [%d, %d]: %d bytes, off by %.2f%n", rows, width, weight.bytes(), off);
    assertTrue(off < 0.2); // half the widest gap between levels is 0.15
    assertEquals(weight.bytes(), Nf4Weight.shapeOnly(rows, width).bytes());
  }

  @ParameterizedTest
  @EnumSource(names = {"F16", "BF16", "Q8_0", "Q4_K", "Q6_K"})
  void blocksEqualLlamaCpp(BlockFormat format) throws IOException {
    try (SafeTensors golden = SafeTensors.open(GOLDEN.resolve("gguf/blocks.safetensors"))) {
      INDArray expected = golden.read(format + ".float");
      int[] values = golden.read(format + ".raw").reshape(-1).toIntVector();
      byte[] raw = new byte[values.length];
      for (int i = 0; i < raw.length; i++) {
        raw[i] = (byte) values[i];
      }
      BlockWeight weight = BlockWeight.of(format, expected.shape(), memory -> memory.put(raw));
      float[] wanted = expected.reshape(-1).toFloatVector();
      for (KernelMode kernelMode : KernelMode.values()) {
        INDArray actual = floats(weight, kernelMode).reshape(-1);
        double error = 0;
        for (int i = 0; i < actual.length(); i++) {
          double value = wanted[i];
          double difference = Math.abs(value - actual.getDouble(i));
          error = Math.max(error, difference / Math.max(Math.abs(value), 1e-30));
        }
        System.out.printf(
            "%d numbers of %s, %s: largest error %.1e%n",
            actual.length(), format, kernelMode, error);
        assertTrue(error < 1e-6);
      }
    }
  }

  /** Rows are gathered before they are converted to floats. */
  @ParameterizedTest
  @EnumSource(names = {"F16", "BF16"})
  void halfPrecisionRoundsAndGivesRows(BlockFormat format) {
    Nd4j.getRandom().setSeed(7);
    INDArray values = Nd4j.randn(DataType.FLOAT, 50, 37);
    BlockWeight weight = BlockWeight.half(format, values);
    assertEquals(50 * 37 * 2, weight.bytes());
    INDArray rounded = floats(weight, KernelMode.FUSED);
    double error = error(values, rounded);
    System.out.printf("%s rounds by %.1e%n", format, error);
    assertTrue(error < (format == BlockFormat.F16 ? 0x1p-11 : 0x1p-8));
    assertSameBits(rounded, floats(BlockWeight.half(format, rounded), KernelMode.FUSED));
    for (KernelMode kernelMode : KernelMode.values()) {
      SameDiff sd = SameDiff.create();
      SDVariable ids = sd.placeHolder("ids", DataType.INT32, 3);
      SDVariable rows = sd.gather(weight.stored(sd, "table"), ids, 0);
      SDVariable floats = weight.floats(rows, kernelMode);
      try (PlanEngine engine =
          new PlanEngine(sd, PlanOptions.gradients(List.of(floats.name()), List.of()))) {
        INDArray taken =
            engine.run(Map.of("ids", Nd4j.createFromArray(49, 0, 7))).outputs().get(floats.name());
        assertSameBits(rounded.getRow(49), taken.getRow(0));
        assertSameBits(rounded.getRow(0), taken.getRow(1));
        assertSameBits(rounded.getRow(7), taken.getRow(2));
      }
    }
  }

  /** The same bytes as in the GGUF file that llama.cpp's gguf 0.19 quantised from the other. */
  @Test
  void int8EqualsGgml() throws IOException {
    int compared = 0;
    try (ModelFiles floats = ModelFiles.open(GOLDEN.resolve("gguf/tiny-f32.gguf"));
        ModelFiles quantised = ModelFiles.open(GOLDEN.resolve("gguf/tiny-q8_0.gguf"))) {
      for (String name : floats.weights().names()) {
        BlockWeight expected = quantised.weights().readBlocks(name);
        if (expected != null && expected.format() == BlockFormat.Q8_0) {
          BlockWeight actual = BlockWeight.int8(floats.weights().read(name));
          assertArrayEquals(expected.blocks().data().asInt(), actual.blocks().data().asInt(), name);
          compared++;
        }
      }
    }
    System.out.println(compared + " matrices in 8 bits as ggml's");
    assertTrue(compared > 3);
  }
}
