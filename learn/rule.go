package learn

import (
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

// Rule returns the update of the synapses of a name, of those that need no more than it: adam, bayes or
// clipped. The error is a *SettingError.
func Rule(name string) (variational.Rule, error) {
	switch name {
	case adam:
		return variational.Adam, nil
	case bayes:
		return variational.BayesianRule, nil
	case clipped:
		return variational.ClippedAdam, nil
	case hyperAdam:
		return 0, setting.Phrase("rule", "{rule hyperadam}: it is for learning from data; here it is adam, bayes or clipped")
	}
	return 0, setting.Phrase("rule", "{rule %q}: it is adam, bayes or clipped", name)
}

// rule returns the update of the synapses.
func (r *Recipe) rule() (variational.Rule, error) {
	if r.Rule == hyperAdam {
		return variational.HyperAdam, nil
	}
	rule, err := Rule(r.Rule)
	if err != nil {
		err = setting.Phrase("rule", "{rule %q}: it is adam, bayes, clipped or hyperadam", r.Rule)
	}
	return rule, err
}

// HasMomentum reports whether the rule of a name has the setting momentum.
func HasMomentum(rule string) bool { return rule != bayes }

// movesKnown reports whether the rule of a name moves known synapses too.
func movesKnown(rule string) bool { return rule == adam || rule == hyperAdam }

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
