package org.tokentune.onnx;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import ai.onnxruntime.OnnxTensor;
import ai.onnxruntime.OrtEnvironment;
import ai.onnxruntime.OrtException;
import ai.onnxruntime.OrtLoggingLevel;
import ai.onnxruntime.OrtSession;
import java.io.IOException;
import java.nio.FloatBuffer;
import java.nio.LongBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.function.UnaryOperator;
import java.util.stream.Stream;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestFactory;
import org.junit.jupiter.api.io.TempDir;
import org.nd4j.autodiff.samediff.SDIndex;
import org.nd4j.autodiff.samediff.SDVariable;
import org.nd4j.autodiff.samediff.SameDiff;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;
import org.tokentune.BadInputException;
import org.tokentune.ops.Cosines;
import org.tokentune.ops.Gelu;
import org.tokentune.ops.LayerNormOps;

/** onnxruntime computes with a file what SameDiff computes with the graph. */
class OnnxFileTest {

  private static final String X = "x";
  private static final String Y = "y";
  private static final List<String> ANY = List.of("rows", "columns");

  @TempDir private Path folder;

  /** Compares {@code op} of a matrix of floats, and returns the operators in the file. */
  private void check(String name, DataType type, UnaryOperator<SDVariable> op) {
    SameDiff sd = SameDiff.create();
    SDVariable result = op.apply(sd.placeHolder(X, type, -1, -1));
    (result.dataType() == DataType.FLOAT ? result.mul(1.0) : result.castTo(DataType.FLOAT))
        .rename(Y);
    Path file = folder.resolve(name + ".onnx");
    try {
      OnnxFile.write(
          file, sd, List.of(new OnnxValue(X, ANY)), List.of(new OnnxValue(Y, List.of("n"))));
      for (int[] shape : new int[][] {{3, 4}, {1, 6}}) {
        float[] values = new float[shape[0] * shape[1]];
        for (int i = 0; i < values.length; i++) {
          values[i] = type == DataType.FLOAT ? (float) Math.sin(i * 0.7 + 1) : i * 5 % 7 - 2;
        }
        INDArray x = Nd4j.createFromArray(values).reshape(shape[0], shape[1]).castTo(type);
        INDArray expected = sd.output(Map.of(X, x), Y).get(Y);
        assertArrayEquals(
            expected.dup('c').data().asFloat(), run(file, x), 1e-5f, "shape " + shape[0]);
      }
    } catch (IOException | OrtException e) {
      throw new AssertionError(e);
    }
  }

  private static float[] run(Path file, INDArray x) throws OrtException {
    OrtEnvironment environment = OrtEnvironment.getEnvironment();
    OrtSession.SessionOptions options = new OrtSession.SessionOptions();
    options.setSessionLogLevel(OrtLoggingLevel.ORT_LOGGING_LEVEL_ERROR);
    try (OrtSession session = environment.createSession(file.toString(), options);
        OnnxTensor input =
            x.dataType() == DataType.FLOAT
                ? OnnxTensor.createTensor(
                    environment, FloatBuffer.wrap(x.data().asFloat()), x.shape())
                : OnnxTensor.createTensor(
                    environment, LongBuffer.wrap(x.data().asLong()), x.shape());
        OrtSession.Result result = session.run(Map.of(X, input))) {
      FloatBuffer buffer = ((OnnxTensor) result.get(0)).getFloatBuffer();
      float[] values = new float[buffer.remaining()];
      buffer.get(values);
      return values;
    }
  }

  @TestFactory
  Stream<DynamicTest> opsOfFloats() {
    Map<String, UnaryOperator<SDVariable>> ops = new HashMap<>();
    ops.put("gelu", Gelu::exact);
    ops.put("gelu_tanh", Gelu::tanh);
    ops.put("relu", x -> x.getSameDiff().nn().relu(x, 0));
    ops.put("sigmoid", x -> x.getSameDiff().nn().sigmoid(x));
    ops.put("softmax", x -> x.getSameDiff().nn().softmax(x, -1));
    ops.put("mean", x -> x.mean(true, 1));
    ops.put("sum", x -> x.sum(1));
    ops.put("max", x -> x.max(true, 1));
    ops.put("normalized", Cosines::normalized);
    ops.put("rsub", x -> x.rsub(2));
    ops.put("rdiv", x -> x.add(3).rdiv(2));
    ops.put("column", x -> x.get(SDIndex.all(), SDIndex.point(2)));
    ops.put("lastColumn", x -> x.get(SDIndex.all(), SDIndex.point(-1)));
    ops.put("columns", x -> x.get(SDIndex.all(), SDIndex.interval(1, 3)));
    ops.put("permute", x -> x.permute(1, 0));
    ops.put("reshape", x -> x.reshape(2, -1).mul(2));
    ops.put("split", x -> x.getSameDiff().split(x, 2, 1)[1]);
    ops.put("cumsum", x -> x.getSameDiff().cumsum(x, false, false, 1));
    ops.put("zeros", x -> x.getSameDiff().zerosLike(x).add(x.getSameDiff().onesLike(x)));
    ops.put("above", x -> x.getSameDiff().gt(x, x.mul(0.5)));
    ops.put(
        "product",
        x -> {
          SDVariable heads = x.reshape(1, -1, 2, 1).permute(0, 2, 1, 3);
          return x.getSameDiff().mmul(heads, heads, false, true, false);
        });
    ops.put(
        "layerNorm",
        x -> {
          SDVariable y = x.reshape(-1, 2);
          SDVariable gain = x.getSameDiff().constant(Nd4j.createFromArray(0.5f, 2f));
          return LayerNormOps.apply(y, gain, gain, 1e-5);
        });
    ops.put(
        "linear",
        x -> {
          INDArray weight = Nd4j.createFromArray(new float[][] {{1, 2}, {-3, 4}, {5, 0.5f}});
          SDVariable w = x.getSameDiff().constant("weight", weight);
          return x.getSameDiff().mmul(x.reshape(-1, 2), w, false, true, false);
        });
    return ops.entrySet().stream()
        .map(
            op ->
                DynamicTest.dynamicTest(
                    op.getKey(), () -> check(op.getKey(), DataType.FLOAT, op.getValue())));
  }

  @TestFactory
  Stream<DynamicTest> opsOfWholeNumbers() {
    Map<String, UnaryOperator<SDVariable>> ops = new HashMap<>();
    ops.put("scaled", x -> x.mul(3).add(2).sub(1));
    ops.put("equal", x -> x.eq(2));
    ops.put("unequal", x -> x.getSameDiff().neq(x, x.getSameDiff().constant(2)));
    ops.put("less", x -> x.getSameDiff().lt(x, x.getSameDiff().constant(2)));
    ops.put("atMost", x -> x.getSameDiff().lte(x, x.getSameDiff().constant(2)));
    ops.put("atLeast", x -> x.getSameDiff().gte(x, x.getSameDiff().constant(2)));
    ops.put("abs", x -> x.getSameDiff().math().abs(x));
    ops.put("sizes", x -> x.getSameDiff().shape(x));
    ops.put("size", x -> x.getSameDiff().sizeAt(x, 1));
    ops.put("mixed", x -> x.castTo(DataType.INT64).mul(x));
    ops.put("expanded", x -> x.getSameDiff().expandDims(x, 1));
    ops.put(
        "range",
        x -> {
          SameDiff sd = x.getSameDiff();
          SDVariable end = sd.sizeAt(x, 1).castTo(DataType.INT32);
          return sd.range(sd.constant(0), end, sd.constant(1), DataType.INT32);
        });
    ops.put(
        "rows",
        x -> {
          SameDiff sd = x.getSameDiff();
          INDArray table = Nd4j.arange(20).castTo(DataType.FLOAT).reshape(10, 2);
          return sd.gather(sd.constant("table", table), sd.math().abs(x).reshape(-1), 0);
        });
    return ops.entrySet().stream()
        .map(
            op ->
                DynamicTest.dynamicTest(
                    op.getKey(), () -> check(op.getKey(), DataType.INT32, op.getValue())));
  }

  @Test
  void opsWithoutTranslationAreNamed() {
    SameDiff sd = SameDiff.create();
    sd.math().asinh(sd.placeHolder(X, DataType.FLOAT, -1, -1)).rename(Y);
    String message =
        assertThrows(
                BadInputException.class,
                () ->
                    OnnxFile.write(
                        folder.resolve("no.onnx"),
                        sd,
                        List.of(new OnnxValue(X, ANY)),
                        List.of(new OnnxValue(Y, ANY))))
            .getMessage();
    System.out.println(message);
    assertTrue(message.contains("The op asinh"), message);
    assertFalse(Files.exists(folder.resolve("no.onnx")));
  }

  /** As past 2 GB: larger weights stand in a file of their own. */
  @Test
  void weightsMayStandInAFileOfTheirOwn() throws IOException, OrtException {
    SameDiff sd = SameDiff.create();
    SDVariable x = sd.placeHolder(X, DataType.FLOAT, -1, 20);
    Nd4j.getRandom().setSeed(1);
    SDVariable first = sd.constant("first", Nd4j.rand(DataType.FLOAT, 30, 20));
    SDVariable second = sd.constant("second", Nd4j.rand(DataType.FLOAT, 40, 30).permute(1, 0));
    SDVariable small = sd.constant("small", Nd4j.rand(DataType.FLOAT, 40));
    sd.mmul(sd.mmul(x, first, false, true, false), second).add(small).rename(Y);
    INDArray rows = Nd4j.rand(DataType.FLOAT, 3, 20);
    float[] expected = sd.output(Map.of(X, rows), Y).get(Y).dup('c').data().asFloat();
    for (long most : new long[] {0, 1 << 20}) {
      Path file = folder.resolve(most + ".onnx");
      OnnxFile.write(
          file,
          sd,
          List.of(new OnnxValue(X, List.of("rows", "20"))),
          List.of(new OnnxValue(Y, List.of("rows", "40"))),
          most);
      Path data = folder.resolve(most + ".onnx_data");
      assertEquals(most == 0, Files.exists(data));
      if (most == 0) {
        assertEquals((30 * 20 + 40 * 30) * 4, Files.size(data));
        assertTrue(Files.size(file) < 2000);
      }
      assertArrayEquals(expected, run(file, rows), 1e-4f);
    }
  }
}
