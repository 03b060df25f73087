package org.tokentune.datasets;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStream;
import java.io.InputStreamReader;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.tokentune.BadFileException;
import org.tokentune.BadInputException;

/**
 * Sentiment of dictionary glosses, from SentiWordNet 3.0 (Baccianella et al., 2010) inside the
 * artifact {@code deeplearning4j-nlp}: texts whose positive and negative scores differ by 0.5 or
 * more, labelled {@link #POSITIVE} or {@link #NEGATIVE}. 7,491 distinct glosses, 37% positive.
 *
 * <p>File format: one word sense per line, with tabs between part of speech, id, positive score,
 * negative score, terms, gloss; lines with {@code #} are comments.
 */
public final class SentiWordNet {

  public static final String POSITIVE = "positive";
  public static final String NEGATIVE = "negative";

  private static final String RESOURCE = "sentiment/sentiwordnet.txt";
  private static final double LEAST_DIFFERENCE = 0.5;
  private static final int FIELDS = 6;

  private SentiWordNet() {}

  /**
   * Train, validation and test parts of 80, 10 and 10%, drawn using the seed after duplicates are
   * removed.
   *
   * @throws BadInputException if the artifact is not on the class path
   */
  public static DataSplit load(long seed) {
    return DataSplit.of(glosses(), 0.1, 0.1, seed);
  }

  /**
   * Distinct glosses in the order of the file. The first of several equal glosses is used; their
   * labels never differ.
   */
  static List<Example> glosses() {
    try (InputStream in = SentiWordNet.class.getClassLoader().getResourceAsStream(RESOURCE)) {
      if (in == null) {
        throw new BadFileException(
            "%s is not on the class path; add org.deeplearning4j:deeplearning4j-nlp.", RESOURCE);
      }
      Map<String, Example> distinct = new LinkedHashMap<>();
      BufferedReader lines = new BufferedReader(new InputStreamReader(in, StandardCharsets.UTF_8));
      for (String line = lines.readLine(); line != null; line = lines.readLine()) {
        String[] fields = line.split("\t", -1);
        if (line.startsWith("#") || fields.length < FIELDS || fields[2].isEmpty()) {
          continue;
        }
        double difference = Double.parseDouble(fields[2]) - Double.parseDouble(fields[3]);
        if (Math.abs(difference) >= LEAST_DIFFERENCE) {
          String gloss = fields[5].strip();
          distinct.putIfAbsent(gloss, new Example(gloss, difference > 0 ? POSITIVE : NEGATIVE));
        }
      }
      return List.copyOf(distinct.values());
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }
}
