package org.tokentune.bench;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;
import org.nd4j.linalg.indexing.NDArrayIndex;
import org.tokentune.BadFileException;
import org.tokentune.models.ModelGraph;
import org.tokentune.objectives.EmbeddingLabel;
import org.tokentune.objectives.EmbeddingLoss;
import org.tokentune.objectives.EmbeddingLoss.Kind;

/**
 * A recorded step of a sentence encoder, as one batch.
 *
 * @param inputs by the name of their placeholder
 * @param apart whether anchors ran apart from all other texts, of which all tokens were selected
 */
record EmbeddingCase(EmbeddingLoss loss, Map<String, INDArray> inputs, boolean apart) {

  /** What the names of a column's tensors begin with, in order. */
  static final List<String> COLUMNS = List.of("anchor.", "positive.", "negative.");

  private static final String EMBEDDING = "embedding";

  /**
   * Reads a case.
   *
   * @param name of its file
   */
  static EmbeddingCase of(String name, Map<String, INDArray> golden) {
    List<String> columns =
        COLUMNS.stream()
            .filter(column -> golden.containsKey(column + ModelGraph.INPUT_IDS))
            .toList();
    INDArray anchors = golden.get(COLUMNS.get(0) + EMBEDDING);
    if (anchors == null || columns.size() < 2) {
      throw new BadFileException(
          "%s has no anchor.embedding, or only one column of texts, so it is not a test case; move it"
              + " out of the folder.",
          name);
    }
    long longest =
        columns.stream()
            .mapToLong(column -> golden.get(column + ModelGraph.INPUT_IDS).size(1))
            .max()
            .orElseThrow();
    Map<String, INDArray> inputs = new HashMap<>();
    for (String input : List.of(ModelGraph.INPUT_IDS, ModelGraph.ATTENTION_MASK)) {
      inputs.put(
          input,
          Nd4j.vstack(
              columns.stream()
                  .map(column -> padded(golden.get(column + input), longest))
                  .toList()));
    }
    INDArray ids = inputs.get(ModelGraph.INPUT_IDS);
    inputs.put(ModelGraph.TOKEN_TYPE_IDS, ids.like());
    if (golden.containsKey(COLUMNS.get(0) + ModelGraph.SELECTED)) {
      INDArray selected =
          Nd4j.vstack(
              columns.stream()
                  .map(column -> golden.get(column + ModelGraph.SELECTED).castTo(DataType.INT32))
                  .toList());
      inputs.put(ModelGraph.SELECTED, selected);
      inputs.put(ModelGraph.FROZEN, Parity.complement(selected, (int) longest));
    }
    inputs.put(ModelGraph.LABELS, labels(golden.get(ModelGraph.LABELS), ids.size(0)));
    boolean apart =
        inputs.containsKey(ModelGraph.SELECTED) && columns.size() > 2 && !name.contains("-columns");
    return new EmbeddingCase(loss(name, columns.size(), (int) anchors.size(1)), inputs, apart);
  }

  /** Rows as INT32 with zeros behind. */
  static INDArray padded(INDArray rows, long length) {
    INDArray padded = Nd4j.zeros(DataType.INT32, rows.size(0), length);
    for (long row = 0; row < rows.size(0); row++) {
      for (long i = 0; i < rows.size(1); i++) {
        padded.putScalar(row, i, rows.getInt((int) row, (int) i));
      }
    }
    return padded;
  }

  private static INDArray labels(INDArray scores, long texts) {
    float[][] labels = new float[(int) texts][];
    for (int text = 0; text < labels.length; text++) {
      float score = scores == null ? 0 : scores.getFloat(text % scores.length());
      labels[text] = new EmbeddingLabel(0, text, score).encode();
    }
    return Nd4j.createFromArray(labels);
  }

  private static EmbeddingLoss loss(String name, int columns, int width) {
    String kind = name.replaceFirst("[-.].*", "");
    EmbeddingLoss loss =
        EmbeddingLoss.of(
            switch (kind) {
              case "mnrl" -> Kind.RANKING;
              case "triplet" -> Kind.TRIPLET;
              case "cosine" -> Kind.COSINE;
              case "cosent" -> Kind.COSENT;
              default ->
                  throw new BadFileException(
                      "%s is no case of a known loss; mnrl, triplet, cosine and cosent are.", name);
            },
            columns);
    loss = loss.withSymmetric(name.contains("-symmetric"));
    return name.contains("-matryoshka")
        ? loss.withDimensions(List.of(width, width / 2, width / 4))
        : loss;
  }

  /** The inputs of the anchors, and those of the other texts, without selection. */
  List<Map<String, INDArray>> parts() {
    long anchors = inputs.get(ModelGraph.INPUT_IDS).size(0) / loss.columns();
    Map<String, INDArray> first = new HashMap<>();
    Map<String, INDArray> others = new HashMap<>();
    inputs.forEach(
        (name, rows) -> {
          if (!name.equals(ModelGraph.LABELS)) {
            first.put(name, rows(rows, 0, anchors));
            others.put(name, rows(rows, anchors, rows.size(0)));
          }
        });
    others.remove(ModelGraph.SELECTED);
    others.remove(ModelGraph.FROZEN);
    return List.of(first, others);
  }

  private static INDArray rows(INDArray all, long first, long end) {
    return all.get(NDArrayIndex.interval(first, end), NDArrayIndex.all()).dup('c');
  }

  /** By how much the errors of gradients grow with how parallel vectors [texts, width] are. */
  static double condition(INDArray vectors) {
    float[][] rows = vectors.toFloatMatrix();
    double sum = 0;
    int pairs = 0;
    for (int i = 0; i < rows.length; i++) {
      for (int j = 0; j < i; j++) {
        sum += cosine(rows[i], rows[j]);
        pairs++;
      }
    }
    return Math.max(1, 1 / (1 - sum / pairs));
  }

  private static double cosine(float[] a, float[] b) {
    double ab = 0;
    double aa = 0;
    double bb = 0;
    for (int i = 0; i < a.length; i++) {
      ab += (double) a[i] * b[i];
      aa += (double) a[i] * a[i];
      bb += (double) b[i] * b[i];
    }
    return ab / Math.sqrt(aa * bb);
  }

  /** The recorded results, with the vectors of all columns as logits, and without inputs. */
  Map<String, INDArray> joined(Map<String, INDArray> golden) {
    Map<String, INDArray> results = new LinkedHashMap<>();
    List<INDArray> vectors = new ArrayList<>();
    for (String column : COLUMNS) {
      if (golden.containsKey(column + EMBEDDING)) {
        vectors.add(golden.get(column + EMBEDDING));
      }
    }
    results.put(ModelGraph.LOGITS, Nd4j.vstack(vectors));
    golden.forEach(
        (name, tensor) -> {
          boolean ofColumn = COLUMNS.stream().anyMatch(name::startsWith);
          if (!ofColumn && !name.equals(ModelGraph.LABELS)) {
            results.put(name, tensor);
          }
        });
    return results;
  }
}
