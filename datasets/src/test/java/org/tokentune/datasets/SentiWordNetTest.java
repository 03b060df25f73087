package org.tokentune.datasets;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;

import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

class SentiWordNetTest {

  @Test
  void hasTheKnownGlosses() {
    List<Example> glosses = SentiWordNet.glosses();
    long positive = glosses.stream().filter(e -> e.label().equals(SentiWordNet.POSITIVE)).count();
    System.out.printf("SentiWordNet: %d glosses, %d positive%n", glosses.size(), positive);
    assertEquals(7491, glosses.size());
    assertEquals(0.37, (double) positive / glosses.size(), 0.005);
  }

  @Test
  void splitsWithoutOverlapByTheSeed() {
    DataSplit split = SentiWordNet.load(1);
    Set<String> texts = new HashSet<>();
    Stream.of(split.train(), split.validation(), split.test())
        .flatMap(List::stream)
        .forEach(example -> texts.add(example.text()));
    assertEquals(7491, texts.size());
    assertEquals(7491, split.train().size() + split.validation().size() + split.test().size());
    assertEquals(749, split.validation().size());
    assertEquals(749, split.test().size());
    assertEquals(split, SentiWordNet.load(1));
    assertNotEquals(split, SentiWordNet.load(2));
  }
}
