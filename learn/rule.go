package learn

import (
	"slices"

	"bethe/hyperadam"
	"bethe/setting"
	"bethe/variational"
)

// Names of rules.
const (
	adam      = "adam"
	bayes     = "bayes"
	clipped   = "clipped"
	hyperAdam = "hyperadam"
)

// plain are the rules that need no more than their name.
var plain = map[string]variational.Rule{
	adam: variational.Adam, bayes: variational.BayesianRule, clipped: variational.ClippedAdam,
	"lion": variational.Lion, "bayes-momentum": variational.BayesianMomentum, "schedule-free": variational.ScheduleFree,
}

// plainWords lists them.
const plainWords = "adam, bayes, bayes-momentum, clipped, lion or schedule-free"

// Rule returns the update of the synapses of a name, of those that need no more than it. The error is a *SettingError.
func Rule(name string) (variational.Rule, error) {
	if rule, ok := plain[name]; ok {
		return rule, nil
	}
	if name == hyperAdam {
		return 0, setting.Phrase("rule", "{rule hyperadam}: it is for learning from data; here it is %s", plainWords)
	}
	return 0, setting.Phrase("rule", "{rule %q}: it is %s", name, plainWords)
}

// rule returns the update of the synapses.
func (r *Recipe) rule() (variational.Rule, error) {
	if r.Rule == hyperAdam {
		return variational.HyperAdam, nil
	}
	rule, err := Rule(r.Rule)
	if err != nil {
		err = setting.Phrase("rule", "{rule %q}: it is hyperadam, %s", r.Rule, plainWords)
	}
	return rule, err
}

// HasMomentum reports whether the rule of a name has the setting momentum.
func HasMomentum(rule string) bool { return rule != bayes }

// movesKnown reports whether the rule of a name moves known synapses too.
func movesKnown(rule string) bool {
	return !slices.Contains([]string{bayes, "bayes-momentum", clipped}, rule)
}

// loadRule loads the weights of the rule, if it has any, and sets their sum.
func (r *Run) loadRule() error {
	if r.recipe.Rule != hyperAdam {
		r.recipe.RuleHash = ""
		return nil
	}
	path, weights := r.recipe.RuleWeights, hyperadam.Shipped()
	if path != "" {
		file, err := hyperadam.Load(path)
		if err != nil {
			return err
		}
		weights = &file.Weights
	} else {
		path = "the rule of this build"
	}
	r.weights = *weights
	return setSum(&r.recipe.RuleHash, "rule_weights", path, weights.Hash())
}
