package org.tokentune.models;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;

import java.util.Map;
import java.util.Set;
import org.junit.jupiter.api.Test;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;
import org.tokentune.formats.WeightSource;

class ClassifierRowsTest {

  /** RoBERTa's names: the first layer of its head is not the classifier. */
  private static final Map<String, INDArray> ARRAYS =
      Map.of(
          "classifier.dense.weight",
          Nd4j.createFromArray(new float[][] {{7, 8}, {9, 10}}),
          "classifier.out_proj.weight",
          Nd4j.createFromArray(new float[][] {{0, 1}, {2, 3}, {4, 5}}),
          "classifier.out_proj.bias",
          Nd4j.createFromArray(new float[] {-1, -2, -3}));

  private static final WeightSource SOURCE =
      new WeightSource() {
        @Override
        public Set<String> names() {
          return ARRAYS.keySet();
        }

        @Override
        public long[] shape(String name) {
          return ARRAYS.get(name).shape();
        }

        @Override
        public INDArray read(String name) {
          return ARRAYS.get(name);
        }

        @Override
        public String origin() {
          return "arrays";
        }

        @Override
        public void close() {}
      };

  @Test
  void rowsChangePlaces() {
    WeightSource some = Head.withOutputs(SOURCE, new int[] {2, 0});
    assertEquals(ARRAYS.keySet(), some.names());
    assertArrayEquals(new long[] {2, 2}, some.shape("classifier.out_proj.weight"));
    assertArrayEquals(
        new float[][] {{4, 5}, {0, 1}}, some.read("classifier.out_proj.weight").toFloatMatrix());
    assertArrayEquals(new float[] {-3, -1}, some.read("classifier.out_proj.bias").toFloatVector());
    assertArrayEquals(
        new float[][] {{7, 8}, {9, 10}}, some.read("classifier.dense.weight").toFloatMatrix());
  }

  @Test
  void aClassifierIsLeftOut() {
    WeightSource none = Head.withOutputs(SOURCE, null);
    assertEquals(Set.of("classifier.dense.weight"), none.names());
  }
}
